//! Reads files, folders, standard input and what they include.

use super::Source;
use super::class::Class;
use super::cursor::Cursor;
use super::disk::{STANDARD_INPUT, decode, list, real, standard_input};
use super::error::Error;
use super::head::Head;
use super::psql::{self, Command};
use super::settings::{Effect, Settings};
use super::split::{Piece, Splitter};
use super::statement::{File, Location, Statement, Warning};
use super::token::Token;
use crate::catalog::Digest;
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads the desired state: files in the order given, folders recursively and sorted (`*.sql`), `-` for standard input.
///
/// # Errors
/// What cannot be read or split, with its place.
pub fn read(paths: &[PathBuf]) -> Result<Source, Error> {
    let mut reader = Reader::default();
    for path in paths {
        if path.as_os_str() == "-" {
            let bytes = standard_input().map_err(|source| Error::Read { path: STANDARD_INPUT.into(), source })?;
            reader.file(STANDARD_INPUT.to_owned(), None, bytes)?;
        } else if path.is_dir() {
            reader.folder(path)?;
        } else {
            reader.path(path)?;
        }
    }
    Ok(reader.finish())
}

/// Reads the desired state from a text; `name` stands for its path.
///
/// # Errors
/// What cannot be split, and what it includes and cannot be read.
pub fn read_text(name: &str, text: &str) -> Result<Source, Error> {
    let mut reader = Reader::default();
    reader.file(name.to_owned(), None, text.as_bytes().to_vec())?;
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    files: Vec<Arc<File>>,
    statements: Vec<Statement>,
    warnings: Vec<Warning>,
    /// What is left out as rows, by the file and what it says; the first place, how often, and the last line.
    rows: IndexMap<(String, String), (Location, usize, usize)>,
    digests: Vec<Digest>,
    settings: Arc<Settings>,
    /// The files that are being read, the innermost last: how people see them, and what they really are.
    open: Vec<(String, PathBuf)>,
    /// Every file that was read.
    seen: BTreeSet<PathBuf>,
    database: Option<String>,
}

impl Reader {
    fn path(&mut self, path: &Path) -> Result<(), Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        self.file(path.display().to_string(), Some(path), bytes)
    }

    /// Reads a folder's files, each once: one that another includes is read in that place.
    fn folder(&mut self, folder: &Path) -> Result<(), Error> {
        let mut found = Vec::new();
        list(folder, &mut found).map_err(|source| Error::Read { path: folder.to_owned(), source })?;
        if found.is_empty() {
            return Err(Error::Empty { path: folder.to_owned() });
        }
        found.sort();
        for path in found {
            if !self.seen.contains(&real(&path)) {
                self.path(&path)?;
            }
        }
        Ok(())
    }

    /// Reads one file that was named or found; its settings end with it.
    fn file(&mut self, name: String, path: Option<&Path>, bytes: Vec<u8>) -> Result<(), Error> {
        self.settings = Arc::default();
        self.content(name, path, bytes)
    }

    fn content(&mut self, name: String, path: Option<&Path>, bytes: Vec<u8>) -> Result<(), Error> {
        self.digests.push(Digest::of(&bytes));
        let real = path.map_or_else(|| PathBuf::from(&name), real);
        let file = Arc::new(File::new(name, decode(path, bytes)?));
        self.files.push(Arc::clone(&file));
        self.seen.insert(real.clone());
        self.open.push((file.path.clone(), real));
        self.pieces(&file, path)?;
        self.open.pop();
        Ok(())
    }

    fn pieces(&mut self, file: &Arc<File>, path: Option<&Path>) -> Result<(), Error> {
        let mut splitter = Splitter::new(&file.text);
        loop {
            splitter.set_backslash_escapes(self.settings.backslash_escapes);
            let piece = splitter.next().map_err(|unterminated| Error::Unterminated {
                at: file.location(unterminated.start),
                what: unterminated.what,
            })?;
            match piece {
                None => return Ok(()),
                Some(Piece::Statement(span, tokens)) => self.statement(file, span, tokens),
                Some(Piece::Rows(_)) => {}
                Some(Piece::Command { span, inside }) => {
                    if !self.command(file, path, span, inside)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn statement(&mut self, file: &Arc<File>, span: Range<usize>, tokens: Vec<Token>) {
        let cursor = Cursor::new(&file.text, &tokens);
        let sql = &file.text[span.clone()];
        let head = Head::read(cursor);
        let mut class = Class::of(&head, cursor);
        if class == Class::Silent || class == Class::Call {
            let mut settings = (*self.settings).clone();
            let effect = settings.apply(cursor, sql);
            if settings != *self.settings {
                self.settings = Arc::new(settings);
            }
            match effect {
                Effect::Other => {}
                Effect::Done => class = Class::Silent,
                Effect::Tablespace(name) => {
                    class = Class::Silent;
                    self.warn(
                        file,
                        span.start,
                        format!("tablespaces are not managed: default_tablespace {name} is left out"),
                    );
                }
            }
        }
        let statement = Statement {
            file: Arc::clone(file),
            span,
            class,
            tokens: tokens.into(),
            head,
            settings: Arc::clone(&self.settings),
        };
        match class {
            Class::Rows => self.rows(statement.location(), rows_title(statement.cursor())),
            Class::Silent if statement.head.verb == "ROLLBACK" && !statement.cursor().has("SAVEPOINT") => self.warn(
                file,
                statement.span.start,
                "ROLLBACK is left out: what stands before it belongs to the desired state".to_owned(),
            ),
            _ => {}
        }
        self.statements.push(statement);
    }

    /// Carries out a psql command; false when the file ends with it.
    fn command(
        &mut self,
        file: &Arc<File>,
        path: Option<&Path>,
        span: Range<usize>,
        inside: bool,
    ) -> Result<bool, Error> {
        let at = span.start - 1;
        let (name, command) = psql::command(&file.text[span], inside);
        match command {
            Command::Nothing => {}
            Command::Quit => return Ok(false),
            Command::Rows => self.rows(file.location(at), format!("\\{name}")),
            Command::Refused(why) => return Err(Error::Command { at: file.location(at), command: name, why }),
            Command::LeftOut(why) => self.warn(file, at, format!("\\{name} is left out: {why}")),
            Command::Connect(database) => {
                let before = self.database.replace(database.clone());
                if before.is_some_and(|before| before != database) {
                    self.warn(file, at, format!("\\{name} is left out: everything is loaded into one database"));
                }
            }
            Command::Include { path: included, relative } => {
                let folder = path.and_then(Path::parent).filter(|_| relative);
                self.include(
                    file.location(at),
                    &folder.map_or_else(|| included.clone().into(), |folder| folder.join(&included)),
                )?;
            }
        }
        Ok(true)
    }

    fn include(&mut self, at: Location, path: &Path) -> Result<(), Error> {
        let name = path.display().to_string();
        let real = real(path);
        if let Some(first) = self.open.iter().position(|(_, open)| *open == real) {
            let mut chain: Vec<_> = self.open[first..].iter().map(|(name, _)| name.clone()).collect();
            chain.push(name.clone());
            return Err(Error::Cycle { at, path: name, chain });
        }
        let bytes = std::fs::read(path).map_err(|source| Error::Include { at, path: path.to_owned(), source })?;
        self.content(name, Some(path), bytes)
    }

    fn warn(&mut self, file: &File, offset: usize, message: String) {
        self.warnings.push(Warning { location: file.location(offset), message });
    }

    fn rows(&mut self, at: Location, what: String) {
        let (path, line) = (at.path.clone(), at.line);
        let entry = self.rows.entry((path, what)).or_insert((at, 0, 0));
        entry.1 += 1;
        entry.2 = line;
    }

    fn finish(mut self) -> Source {
        for ((_, what), (location, count, last)) in self.rows {
            let more = match count {
                1 => String::new(),
                _ => format!(", and {} more like it up to line {last}", count - 1),
            };
            self.warnings
                .push(Warning { location, message: format!("rows are not managed: {what} is left out{more}") });
        }
        let order = |path: &str| self.files.iter().position(|file| file.path == path);
        self.warnings.sort_by_cached_key(|warning| (order(&warning.location.path), warning.clone()));
        let sha256 = match self.digests.as_slice() {
            [only] => only.clone(),
            all => Digest::of(all.iter().map(|digest| digest.0.as_str()).collect::<Vec<_>>().join("\n")),
        };
        Source::new(self.files, self.statements, self.warnings, sha256)
    }
}

/// `INSERT INTO app.users`, for a warning.
fn rows_title(mut cursor: Cursor<'_>) -> String {
    let mut words = vec![cursor.text().to_ascii_uppercase()];
    cursor.advance();
    while cursor.is_any(&["INTO", "FROM", "ONLY", "TABLE"]) {
        words.push(cursor.text().to_ascii_uppercase());
        cursor.advance();
    }
    let names = cursor.names();
    if !names.is_empty() && words[0] != "WITH" {
        words.push(crate::sql::qualified(names));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as StdError;

    type Result = std::result::Result<(), Box<dyn StdError>>;

    /// A folder with files in it.
    fn folder(files: &[(&str, &[u8])]) -> std::io::Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
            std::fs::write(path, bytes)?;
        }
        Ok(folder)
    }

    fn texts(source: &Source) -> Vec<&str> {
        source.statements.iter().map(Statement::sql).collect()
    }

    /// The error's text with the folder left out.
    fn error(folder: &tempfile::TempDir, path: &str) -> String {
        let text = read(&[folder.path().join(path)]).err().map(|error| error.to_string()).unwrap_or_default();
        text.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn includes_stand_in_place_and_folders_are_sorted() -> Result {
        let folder = folder(&[
            ("b.sql", b"SELECT 'b';\n\\ir sub/inner.sql\nSELECT 'b2'"),
            ("a.sql", b"SELECT 'a'"),
            ("sub/inner.sql", b"\xef\xbb\xbfSELECT 'inner'"),
            ("sub/z.SQL", b"SELECT 'z'"),
            ("notes.txt", b"'"),
            (".hidden.sql", b"'"),
        ])?;
        let source = read(&[folder.path().to_owned()])?;
        assert_eq!(texts(&source), ["SELECT 'a'", "SELECT 'b'", "SELECT 'inner'", "SELECT 'b2'", "SELECT 'z'"]);
        assert_eq!(source.statements[2].location().column, 1);
        Ok(())
    }

    #[test]
    fn errors_name_their_place() -> Result {
        let folder = folder(&[
            ("a.sql", b"SELECT 1;\n  \\ir b.sql"),
            ("b.sql", b"\\ir a.sql"),
            ("c.sql", b"\n\\ir no.sql"),
            ("open.sql", b"SELECT 1;\n\nSELECT 'a\n"),
        ])?;
        assert_eq!(error(&folder, "a.sql"), "b.sql:1:1: a.sql includes itself: a.sql -> b.sql -> a.sql");
        assert_eq!(error(&folder, "c.sql"), "c.sql:2:1: cannot read no.sql: No such file or directory (os error 2)");
        assert_eq!(error(&folder, "open.sql"), "open.sql:3:8: this string has no end");
        Ok(())
    }

    #[test]
    fn settings_hold_from_their_place_to_the_end_of_the_file() -> Result {
        let folder = folder(&[
            (
                "1.sql",
                b"CREATE TABLE a();SET search_path = app, \"X\";CREATE TABLE b();\\ir more/m.sql\nCREATE TABLE c();",
            ),
            ("2.sql", b"BEGIN; SET LOCAL search_path TO z; CREATE TABLE e(); COMMIT; CREATE TABLE f();"),
            ("more/m.sql", b"SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE d();"),
        ])?;
        let source = read(&[folder.path().to_owned()])?;
        let paths: Vec<_> = source
            .statements
            .iter()
            .filter(|statement| statement.class == Class::Definition)
            .map(|statement| (statement.title(), statement.settings.search_path().map(|path| path.join(","))))
            .collect();
        let expected =
            [("a", None), ("b", Some("app,X")), ("d", Some("")), ("c", Some("")), ("e", Some("z")), ("f", None)];
        let expected = expected.map(|(name, path)| (format!("CREATE TABLE {name}"), path.map(str::to_owned)));
        assert_eq!(paths, expected);
        Ok(())
    }

    #[test]
    fn rows_are_warned_about_once_a_table() -> Result {
        let source = read_text(
            "s.sql",
            "INSERT INTO app.t VALUES (1);\nCOPY app.t FROM stdin;\n1;'\n\\.\nINSERT INTO app.t VALUES (2);\nROLLBACK;\n\\set x 1\n",
        )?;
        let warnings: Vec<_> = source.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            [
                "s.sql:1:1: rows are not managed: INSERT INTO app.t is left out, and 1 more like it up to line 5",
                "s.sql:2:1: rows are not managed: COPY app.t is left out",
                "s.sql:6:1: ROLLBACK is left out: what stands before it belongs to the desired state",
                "s.sql:7:1: \\set is left out: variables of psql are not replaced",
            ]
        );
        Ok(())
    }

    #[test]
    fn the_digest_of_one_file_is_its_own() -> Result {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(read_text("s.sql", "")?.sha256().0, empty);
        let folder = folder(&[("a.sql", b""), ("b.sql", b"")])?;
        assert_ne!(read(&[folder.path().to_owned()])?.sha256().0, empty);
        Ok(())
    }

    #[test]
    fn columns_count_characters() -> Result {
        let source = read_text("s.sql", "SELECT 'é→'; SELECT 2;\r\n\tSELECT 3")?;
        let places: Vec<_> = source.statements.iter().map(|statement| statement.location().to_string()).collect();
        assert_eq!(places, ["s.sql:1:1", "s.sql:1:14", "s.sql:2:2"]);
        Ok(())
    }
}
