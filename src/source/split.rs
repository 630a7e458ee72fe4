//! Cuts a text into statements and psql commands, exactly where psql would.

use super::token::{Lexer, Token, TokenKind, Unterminated};
use std::ops::Range;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A statement without its semicolon, with its tokens.
    Statement(Range<usize>, Vec<Token>),
    /// Rows after `COPY … FROM stdin`, without the line `\.`.
    Rows(Range<usize>),
    /// A psql command with its arguments; the backslash is not part of it. A statement may have been open before it.
    Command { span: Range<usize>, inside: bool },
}

/// Yields the parts of one text.
pub(super) struct Splitter<'a> {
    lexer: Lexer<'a>,
    text: &'a str,
    /// What follows the statement that was yielded last.
    next: Option<Piece>,
    copies: bool,
}

impl<'a> Splitter<'a> {
    /// Splits a text; a byte order mark at its start is no part of any statement.
    pub(super) fn new(text: &'a str) -> Self {
        let mut lexer = Lexer::new(text);
        if text.starts_with('\u{feff}') {
            lexer.at = '\u{feff}'.len_utf8();
        }
        Self { lexer, text, next: None, copies: false }
    }

    /// Sets whether a backslash escapes in plain strings from here on.
    pub(super) fn set_backslash_escapes(&mut self, on: bool) {
        self.lexer.backslash_escapes = on;
    }

    /// The next part, or none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Unterminated> {
        if let Some(piece) = self.next.take() {
            return Ok(Some(piece));
        }
        if std::mem::take(&mut self.copies) {
            return Ok(Some(Piece::Rows(self.rows())));
        }
        let mut statement = Growing::default();
        while let Some(token) = self.lexer.next()? {
            if token.kind == TokenKind::Backslash {
                let span = self.command();
                if statement.tokens.is_empty() {
                    return Ok(Some(Piece::Command { span, inside: false }));
                }
                self.next = Some(Piece::Command { span, inside: true });
                break;
            }
            if statement.ends_at(token, self.text) {
                if statement.tokens.is_empty() {
                    continue;
                }
                break;
            }
            statement.push(token, self.text);
        }
        self.copies = statement.copies(self.text);
        Ok(statement.finish())
    }

    /// A psql command reaches to the end of its line.
    fn command(&mut self) -> Range<usize> {
        let start = self.lexer.at;
        if self.text[start..].starts_with([';', '\\']) {
            self.lexer.at += 1;
            return start..start + 1;
        }
        self.lexer.skip_line();
        let line = &self.text[start..self.lexer.at];
        start..start + line.trim_end().len()
    }

    /// The rows end at a line `\.` or with the text.
    fn rows(&mut self) -> Range<usize> {
        self.lexer.skip_line();
        let start = self.lexer.at;
        loop {
            let line = self.lexer.at;
            self.lexer.skip_line();
            let text = &self.text[line..self.lexer.at];
            if text.is_empty() || text.trim_end_matches(['\r', '\n']) == "\\." {
                return start..line;
            }
        }
    }
}

/// A statement that is being read.
#[derive(Default)]
struct Growing {
    tokens: Vec<Token>,
    parentheses: usize,
    /// How many `BEGIN ATOMIC` and `CASE` wait for their `END`.
    blocks: usize,
    /// Whether this creates a routine, whose body may be SQL.
    routine: bool,
}

impl Growing {
    fn ends_at(&self, token: Token, text: &str) -> bool {
        token.kind == TokenKind::Mark && token.of(text) == ";" && self.parentheses == 0 && self.blocks == 0
    }

    fn push(&mut self, token: Token, text: &str) {
        match token.kind {
            TokenKind::Mark => match token.of(text) {
                "(" => self.parentheses += 1,
                ")" => self.parentheses = self.parentheses.saturating_sub(1),
                _ => {}
            },
            TokenKind::Word if self.tokens.len() < 4 => {
                let creates = self.tokens.first().is_some_and(|first| first.of(text).eq_ignore_ascii_case("create"));
                self.routine |= creates && is_any(token.of(text), &["function", "procedure"]);
            }
            TokenKind::Word if self.routine => self.block(token.of(text), text),
            _ => {}
        }
        self.tokens.push(token);
    }

    fn block(&mut self, word: &str, text: &str) {
        let last = self.tokens.last().map_or("", |token| token.of(text));
        if self.blocks == 0 {
            // `BEGIN` alone may be an argument's name.
            let begins = is_any(word, &["atomic"]) && is_any(last, &["begin"]) && self.parentheses == 0;
            self.blocks = usize::from(begins);
        } else if is_any(last, &["as", "."]) {
            // There any keyword is a mere name: `SELECT 1 AS end`.
        } else if is_any(word, &["case"]) {
            self.blocks += 1;
        } else if is_any(word, &["end"]) {
            self.blocks -= 1;
        }
    }

    fn copies(&self, text: &str) -> bool {
        let word =
            |at: usize, word: &str| self.tokens.get(at).is_some_and(|token| token.of(text).eq_ignore_ascii_case(word));
        word(0, "copy") && (1..self.tokens.len()).any(|at| word(at, "from") && word(at + 1, "stdin"))
    }

    fn finish(self) -> Option<Piece> {
        let start = self.tokens.first()?.start as usize;
        let end = self.tokens.last()?.end as usize;
        Some(Piece::Statement(start..end, self.tokens))
    }
}

fn is_any(word: &str, words: &[&str]) -> bool {
    words.iter().any(|candidate| word.eq_ignore_ascii_case(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<String> {
        let mut splitter = Splitter::new(text);
        let mut out = Vec::new();
        while let Some(piece) = splitter.next().transpose() {
            let Ok(piece) = piece else { return vec!["no end".to_owned()] };
            out.push(match piece {
                Piece::Statement(span, _) => text[span].to_owned(),
                Piece::Rows(span) => format!("rows:{}", &text[span]),
                Piece::Command { span, inside } => {
                    format!("{}:{}", if inside { "inside" } else { "psql" }, &text[span])
                }
            });
        }
        out
    }

    #[test]
    fn statements_end_at_their_own_semicolon() {
        assert_eq!(
            split("\u{feff}SELECT ';' ; -- a;\r\n\r\nSELECT $x$;$x$;;SELECT 2"),
            ["SELECT ';'", "SELECT $x$;$x$", "SELECT 2"]
        );
        assert_eq!(split("/* a; /* b; */ */ SELECT \"é;\" /* c */;"), ["SELECT \"é;\""]);
        assert_eq!(split(" \n-- nothing\n"), [""; 0]);
    }

    #[test]
    fn rules_with_several_actions_are_one_statement() {
        let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b)";
        assert_eq!(split(&format!("{rule}; SELECT 1;")), [rule, "SELECT 1"]);
    }

    #[test]
    fn sql_bodies_end_with_their_end() {
        let body = "CREATE OR REPLACE FUNCTION f(\"begin\" int, begin int) RETURNS int LANGUAGE sql BEGIN ATOMIC\n\
                    SELECT CASE WHEN true THEN 1 ELSE 2 END AS end; SELECT t.end FROM t; END";
        assert_eq!(split(&format!("{body}; SELECT 1")), [body, "SELECT 1"]);
        let procedure = "create procedure p() begin atomic insert into t values (1); end";
        assert_eq!(split(&format!("{procedure};BEGIN;COMMIT")), [procedure, "BEGIN", "COMMIT"]);
        assert_eq!(
            split("CREATE TABLE atomic (begin int); CREATE TABLE b ()"),
            ["CREATE TABLE atomic (begin int)", "CREATE TABLE b ()"]
        );
    }

    #[test]
    fn copied_rows_stand_apart() {
        assert_eq!(
            split(
                "COPY t (a) FROM stdin;\n1;'\n\\.\nSELECT 1;\nCOPY u FROM STDIN WITH (FORMAT csv);\r\n\"x\r\n\\.\r\n"
            ),
            ["COPY t (a) FROM stdin", "rows:1;'\n", "SELECT 1", "COPY u FROM STDIN WITH (FORMAT csv)", "rows:\"x\r\n"]
        );
        assert_eq!(split("COPY t FROM stdin;"), ["COPY t FROM stdin", "rows:"]);
        assert_eq!(split("COPY t FROM '/x';\nSELECT 1"), ["COPY t FROM '/x'", "SELECT 1"]);
    }

    #[test]
    fn psql_commands_reach_to_the_end_of_the_line() {
        assert_eq!(
            split("\\restrict aB'c\nSELECT 1;\n\\i 'a b.sql'\r\nSELECT 2 \\g\nSELECT 3 \\; SELECT 4"),
            [
                "psql:restrict aB'c",
                "SELECT 1",
                "psql:i 'a b.sql'",
                "SELECT 2",
                "inside:g",
                "SELECT 3",
                "inside:;",
                "SELECT 4"
            ]
        );
    }

    #[test]
    fn operators_that_other_tokenizers_choke_on_are_plain_tokens() {
        let sql = "CREATE OPERATOR |> (FUNCTION = f, LEFTARG = int, RIGHTARG = int)";
        assert_eq!(split(&format!("{sql}; SELECT 1 |> 2 @-@ 3 ?& 4 <-> 5;")), [sql, "SELECT 1 |> 2 @-@ 3 ?& 4 <-> 5"]);
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split_again(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "SELECT 'a;''b'", "SELECT E'\\';'", "SELECT $a$ ; $b$ $a$", "CREATE TABLE \"x;\" (a int)",
                    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END",
                    "CREATE RULE r AS ON UPDATE TO t DO (SELECT 1; SELECT 2)", "SELECT 1/* ; /* ' */ */+2", "SELECT é",
                ]),
                0..12,
            ),
            joint in proptest::sample::select(vec![";", ";\n", " ; -- it's\n", ";/* ' ; */", ";\r\n\t;"]),
        ) {
            prop_assert_eq!(split(&parts.join(joint)), parts);
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,60}|[-';$a/*\"\\\\\n(]{0,40}") {
            let mut splitter = Splitter::new(&text);
            while let Ok(Some(piece)) = splitter.next() {
                if let Piece::Statement(span, _) = piece {
                    prop_assert!(text.get(span).is_some());
                }
            }
        }
    }
}
