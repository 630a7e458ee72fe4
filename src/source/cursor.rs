//! A position in a statement's tokens, with what reading DDL needs: words, names, lists in parentheses.

use super::token::{Token, TokenKind};

/// PostgreSQL cuts longer names.
const NAME_BYTES: usize = 63;

/// Reads tokens from left to right.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Token],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens, at: 0 }
    }

    /// The same tokens from another place on.
    pub(super) fn from(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// The text that the tokens are part of.
    pub(super) fn source(&self) -> &'a str {
        self.text
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    /// The token at a place, as it is written; empty past the end.
    pub(super) fn text_at(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.of(self.text))
    }

    /// The token here, as it is written; empty at the end.
    pub(super) fn text(&self) -> &'a str {
        self.text_at(self.at)
    }

    pub(super) fn kind(&self) -> Option<TokenKind> {
        self.token().map(|token| token.kind)
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// Whether this keyword stands here.
    pub(super) fn is(&self, word: &str) -> bool {
        self.is_at(self.at, word)
    }

    /// Whether this keyword stands at a place.
    pub(super) fn is_at(&self, at: usize, word: &str) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.kind == TokenKind::Word && token.of(self.text).eq_ignore_ascii_case(word))
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Whether these keywords stand here, one after the other.
    pub(super) fn is_all(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, word)| self.is_at(self.at + i, word))
    }

    /// Steps over a keyword, if it stands here.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Steps over keywords, if all of them stand here.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = self.is_all(words);
        self.at += if found { words.len() } else { 0 };
        found
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.kind() == Some(TokenKind::Mark) && self.text() == mark
    }

    pub(super) fn eat_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    /// Reads one name, folded as PostgreSQL folds it.
    pub(super) fn name(&mut self) -> Option<String> {
        let name = self.token().and_then(|token| name_of(token, self.text))?;
        self.advance();
        Some(name)
    }

    /// Reads a name with the schema and so on before it: `app.users`. Empty when there is none.
    pub(super) fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(name) = self.name() {
            names.push(name);
            if !(self.is_mark(".") && self.from(self.at + 1).token().is_some_and(|token| is_name(token.kind))) {
                break;
            }
            self.advance();
        }
        names
    }

    /// Steps over one token, or over everything up to the parenthesis that closes the one here.
    pub(super) fn skip(&mut self) {
        if !self.is_mark("(") {
            self.advance();
            return;
        }
        let mut depth = 0_usize;
        while !self.done() {
            if self.is_mark("(") {
                depth += 1;
            } else if self.is_mark(")") {
                depth -= 1;
            }
            self.advance();
            if depth == 0 {
                return;
            }
        }
    }

    /// Steps to the first of these keywords that stands outside parentheses; whether there is one.
    pub(super) fn seek(&mut self, words: &[&str]) -> bool {
        while !self.done() {
            if self.is_any(words) {
                return true;
            }
            self.skip();
        }
        false
    }

    /// Whether a keyword stands here or further on, inside parentheses or outside.
    pub(super) fn has(&self, word: &str) -> bool {
        (self.at..self.tokens.len()).any(|at| self.is_at(at, word))
    }

    /// The elements of a list in parentheses that starts here: where each starts and ends.
    pub(super) fn elements(mut self) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        if !self.eat_mark("(") {
            return out;
        }
        let mut start = self.at;
        while !self.done() {
            let closes = self.is_mark(")");
            if closes || self.is_mark(",") {
                if self.at > start {
                    out.push((start, self.at));
                }
                if closes {
                    break;
                }
                start = self.at + 1;
                self.advance();
            } else {
                self.skip();
            }
        }
        out
    }
}

fn is_name(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Word | TokenKind::Quoted)
}

/// The name that a token stands for: unquoted, or folded to lower case, and cut.
pub(super) fn name_of(token: Token, text: &str) -> Option<String> {
    let written = token.of(text);
    let mut name = match token.kind {
        TokenKind::Word => written.to_ascii_lowercase(),
        TokenKind::Quoted => {
            let (unicode, inner) = match written.find('"') {
                Some(at) => (at > 0, &written[at + 1..written.len() - 1]),
                None => return None,
            };
            let plain = inner.replace("\"\"", "\"");
            if unicode { unescape_unicode(&plain) } else { plain }
        }
        _ => return None,
    };
    if name.len() > NAME_BYTES {
        name.truncate(name.floor_char_boundary(NAME_BYTES));
    }
    Some(name)
}

/// The value of a string constant; escapes of `E''` are left as they are written.
pub(super) fn text_of(token: Token, text: &str) -> Option<String> {
    let written = token.of(text);
    match token.kind {
        TokenKind::Text => {
            let start = written.find('\'')? + 1;
            Some(written.get(start..written.len() - 1)?.replace("''", "'"))
        }
        TokenKind::Dollar => {
            let tag = written[1..].find('$')? + 2;
            Some(written.get(tag..written.len() - tag)?.to_owned())
        }
        _ => None,
    }
}

/// Replaces `\XXXX` and `\+XXXXXX`.
fn unescape_unicode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (skip, digits) = if after.starts_with('+') { (1, 6) } else { (0, 4) };
        let code = after.get(skip..skip + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = &after[skip + digits..];
            }
            None => {
                out.push('\\');
                rest = after.strip_prefix('\\').unwrap_or(after);
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::token::{Lexer, Unterminated};
    use super::*;

    fn with<T>(text: &str, read: impl FnOnce(Cursor<'_>) -> T) -> Result<T, Unterminated> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next()? {
            tokens.push(token);
        }
        Ok(read(Cursor::new(text, &tokens)))
    }

    #[test]
    fn names_are_folded_unquoted_and_cut() -> Result<(), Unterminated> {
        with("App.\"My \"\"Table\"\"\".c rest", |mut cursor| {
            assert_eq!(cursor.names(), ["app", "My \"Table\"", "c"]);
            assert!(cursor.is("REST"));
        })?;
        with("U&\"d\\0061t\\+000061\"", |mut cursor| assert_eq!(cursor.names(), ["data"]))?;
        with(&"é".repeat(40), |mut cursor| assert_eq!(cursor.names(), ["é".repeat(31)]))
    }

    #[test]
    fn lists_are_cut_at_their_own_commas() -> Result<(), Unterminated> {
        with("(a int, b numeric(1, 2), c text) d", |cursor| {
            assert_eq!(cursor.elements(), [(1, 3), (4, 11), (12, 14)]);
            let mut after = cursor;
            after.skip();
            assert!(after.is("d"));
        })?;
        with("()", |cursor| assert!(cursor.elements().is_empty()))
    }

    #[test]
    fn a_search_steps_over_parentheses() -> Result<(), Unterminated> {
        with("a (to b) to c", |mut cursor| {
            assert!(cursor.seek(&["TO"]));
            assert_eq!(cursor.at, 5);
            assert!(!cursor.seek(&["FROM"]));
        })
    }
}
