//! What the user sees and says: standard output, standard error, colour, questions.

use std::{
    env,
    io::{self, BufRead as _, IsTerminal as _, Write},
};

use super::Color;
use crate::{
    error::{Error, ErrorKind},
    report::Paint,
};

/// The streams of the process.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether standard output is coloured.
    pub out_color: bool,
    /// Whether standard error is coloured.
    pub err_color: bool,
    /// Whether a person reads standard error and can answer on standard input.
    pub interactive: bool,
    /// Whether a line on standard error can be written over.
    pub moving: bool,
}

impl Terminal {
    /// The streams of this process, coloured as told.
    pub fn new(color: Color) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let plain = set("NO_COLOR") || env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colored = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let terminal = io::stderr().is_terminal();
        Self {
            out_color: colored(io::stdout().is_terminal()),
            err_color: colored(terminal),
            interactive: terminal && io::stdin().is_terminal(),
            moving: terminal && env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }

    /// Writes to standard output. A reader that has gone away, as in `reconcile … | head`, is no error.
    pub fn print(self, text: &str) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(ErrorKind::Outside, why).hint("standard output cannot be written"))
            }
            _ => Ok(()),
        }
    }

    /// Writes to standard error, as far as that is possible.
    pub fn note(self, text: &str) {
        let mut err = io::stderr().lock();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// Warns on standard error.
    pub fn warn(self, text: &str) {
        let heading = Paint(self.err_color).yellow("warning:");
        self.note(&format!("{heading} {text}\n"));
    }

    /// Asks a question on standard error; only `y` and `yes` are a yes.
    pub fn confirm(self, question: &str) -> bool {
        self.note(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        if matches!(read, Ok(0) | Err(_)) {
            self.note("\n");
        }
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}

/// Tells on standard error what takes longer than a moment.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
