//! psql's own commands, as far as they matter to a schema file.

/// What a command asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Nothing that matters here.
    Nothing,
    /// Goes on with another file, named from the current folder or from this file's.
    Include { path: String, relative: bool },
    /// Ends this file.
    Quit,
    /// Goes on in another database.
    Connect(String),
    /// Copies rows.
    Rows,
    /// Decides what is run, by means that are not here.
    Refused(&'static str),
    /// Left out, and people should know.
    LeftOut(&'static str),
}

/// Variables that steer psql itself.
const OWN_VARIABLES: &[&str] =
    &["AUTOCOMMIT", "ECHO", "ON_ERROR_ROLLBACK", "ON_ERROR_STOP", "QUIET", "SINGLELINE", "VERBOSITY"];

/// Reads a command; `inside` when a statement is open before it.
pub(super) fn command(text: &str, inside: bool) -> (String, Command) {
    let name: String = match text.chars().next() {
        Some(mark @ (';' | '\\' | '!' | '?' | '.')) => mark.into(),
        _ => text.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '+').collect(),
    };
    let arguments = text[name.len()..].trim();
    let command = match name.as_str() {
        "g" | "gx" | ";" => Command::Nothing,
        "gexec" | "gset" => Command::Refused("needs the result of a query"),
        _ if inside => Command::Refused("stands inside a statement; does a semicolon miss before it?"),
        "i" | "include" => Command::Include { path: first(arguments), relative: false },
        "ir" | "include_relative" => Command::Include { path: first(arguments), relative: true },
        "q" | "quit" => Command::Quit,
        "c" | "connect" => Command::Connect(first(arguments)),
        "copy" => Command::Rows,
        "if" | "elif" | "else" | "endif" => Command::Refused("decides what is run; schema files have no conditions"),
        "set" if OWN_VARIABLES.contains(&first(arguments).as_str()) || arguments.is_empty() => Command::Nothing,
        "set" => Command::LeftOut("variables of psql are not replaced"),
        "!" => Command::LeftOut("programs are not run"),
        "cd" => Command::LeftOut("the current folder stays what it is"),
        _ => Command::Nothing,
    };
    (name, command)
}

/// The first argument, without its quotes.
fn first(arguments: &str) -> String {
    let mut chars = arguments.chars().peekable();
    let mut out = String::new();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if c == open => {
                if chars.peek() == Some(&open) {
                    chars.next();
                    out.push(open);
                } else {
                    quote = None;
                }
            }
            (None, c) if c.is_whitespace() => break,
            _ => out.push(c),
        }
    }
    out.trim_end_matches(';').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_name_their_file() {
        let include = |path: &str, relative| Command::Include { path: path.to_owned(), relative };
        assert_eq!(command("i 'my ''own''.sql' x", false), ("i".to_owned(), include("my 'own'.sql", false)));
        assert_eq!(command("ir types/a.sql;", false), ("ir".to_owned(), include("types/a.sql", true)));
        assert_eq!(command("include_relative \"a b.sql\"", false).1, include("a b.sql", true));
    }

    #[test]
    fn commands_that_decide_what_runs_are_refused() {
        for text in ["if :x", "gexec", "endif"] {
            assert!(matches!(command(text, false).1, Command::Refused(_)), "{text}");
        }
        assert!(matches!(command("i x.sql", true).1, Command::Refused(_)));
        assert!(matches!(command("set schema app", false).1, Command::LeftOut(_)));
    }

    #[test]
    fn what_dumps_contain_is_silent() {
        for text in ["restrict abc", "unrestrict abc", "set ON_ERROR_STOP on", ".", "echo x", "encoding UTF8"] {
            assert_eq!(command(text, false).1, Command::Nothing, "{text}");
        }
        assert_eq!(
            command("connect -reuse-previous=on \"dbname='x'\"", false).1,
            Command::Connect("-reuse-previous=on".into())
        );
        assert_eq!(command("g", true).1, Command::Nothing);
    }
}
