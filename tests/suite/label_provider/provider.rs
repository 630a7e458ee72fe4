//! A library for PostgreSQL with two providers of security labels, which take every label on every object.
//!
//! It is no part of the test binary: [`super::library`] compiles it for one major version, `--cfg major="18"`.

use std::ffi::{c_char, c_int, c_void};

/// Called for every label that is set; a provider refuses one by raising an error.
type Hook = extern "C" fn(object: *const c_void, label: *const c_char);

// Resolved by the server that loads the library.
unsafe extern "C" {
    fn register_label_provider(name: *const c_char, hook: Hook);
}

/// What a library says about the server that it was built for; the server refuses another one.
#[repr(C)]
pub struct Magic {
    len: c_int,
    version: c_int,
    function_arguments: c_int,
    index_keys: c_int,
    name_length: c_int,
    float8_by_value: c_int,
    /// Told apart from PostgreSQL by those who change what extensions see of it.
    #[cfg(not(major = "14"))]
    abi: [u8; 32],
    #[cfg(major = "18")]
    library_name: Text,
    #[cfg(major = "18")]
    library_version: Text,
}

/// A text of C, or null.
#[cfg(major = "18")]
#[repr(transparent)]
struct Text(*const c_char);

// Nobody writes to what is null.
#[cfg(major = "18")]
unsafe impl Sync for Text {}

static MAGIC: Magic = Magic {
    len: size_of::<Magic>() as c_int,
    version: VERSION,
    function_arguments: 100,
    index_keys: 32,
    name_length: 64,
    float8_by_value: 1,
    #[cfg(not(major = "14"))]
    abi: *b"PostgreSQL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    #[cfg(major = "18")]
    library_name: Text(std::ptr::null()),
    #[cfg(major = "18")]
    library_version: Text(std::ptr::null()),
};

#[cfg(major = "14")]
const VERSION: c_int = 1400;
#[cfg(major = "15")]
const VERSION: c_int = 1500;
#[cfg(major = "16")]
const VERSION: c_int = 1600;
#[cfg(major = "17")]
const VERSION: c_int = 1700;
#[cfg(major = "18")]
const VERSION: c_int = 1800;

#[unsafe(no_mangle)]
pub extern "C" fn Pg_magic_func() -> &'static Magic {
    &MAGIC
}

/// Called when the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn _PG_init() {
    unsafe {
        register_label_provider(c"guard".as_ptr(), accept);
        register_label_provider(c"Second Guard".as_ptr(), accept);
    }
}

extern "C" fn accept(_object: *const c_void, _label: *const c_char) {}
