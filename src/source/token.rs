//! PostgreSQL's lexical rules: text becomes tokens with byte spans; white space and comments vanish.

/// What a token is; the words of SQL are not told apart from names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or an unquoted name.
    Word,
    /// `"a name"`, with a prefix `U&` or without.
    Quoted,
    /// A string constant in single quotes, with its prefix and its continuations on further lines.
    Text,
    /// `$tag$ … $tag$`.
    Dollar,
    Number,
    /// `$1`.
    Parameter,
    Operator,
    /// One of `( ) [ ] , ; : .`, or a character that means nothing outside quotes.
    Mark,
    /// A backslash, with which psql's own commands start.
    Backslash,
}

/// A token's kind and its place in the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Token {
    /// The token as it is written.
    pub(super) fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Something that starts and does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unterminated {
    pub(super) what: &'static str,
    pub(super) start: usize,
}

/// Walks over a text, token by token.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    text: &'a str,
    pub(super) at: usize,
    /// Whether a backslash escapes in plain strings too: `standard_conforming_strings` is off.
    pub(super) backslash_escapes: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), text, at: 0, backslash_escapes: false }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The next token, or none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Unterminated> {
        self.skip_space()?;
        let start = self.at;
        let Some(&byte) = self.bytes.get(start) else { return Ok(None) };
        let kind = match byte {
            b'\'' => self.string(self.backslash_escapes)?,
            b'"' => self.quoted()?,
            b'e' | b'E' if self.peek(1) == b'\'' => self.prefixed(1, true)?,
            b'b' | b'B' | b'x' | b'X' if self.peek(1) == b'\'' => self.prefixed(1, false)?,
            b'n' | b'N' if self.peek(1) == b'\'' => self.prefixed(1, self.backslash_escapes)?,
            b'u' | b'U' if self.peek(1) == b'&' && self.peek(2) == b'\'' => self.prefixed(2, false)?,
            b'u' | b'U' if self.peek(1) == b'&' && self.peek(2) == b'"' => {
                self.at += 2;
                self.quoted()?
            }
            b'$' => self.dollar()?,
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'\\' => {
                self.at += 1;
                TokenKind::Backslash
            }
            _ if is_name_start(byte) => {
                self.skip_while(is_name);
                TokenKind::Word
            }
            _ if is_operator(byte) => {
                self.operator();
                TokenKind::Operator
            }
            _ => {
                self.at += 1;
                TokenKind::Mark
            }
        };
        // Spans fit 32 bits: longer texts are refused when they are read.
        Ok(Some(Token { kind, start: start as u32, end: self.at as u32 }))
    }

    fn skip_while(&mut self, take: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|&byte| take(byte)) {
            self.at += 1;
        }
    }

    /// Skips to just after the next line break, or to the end.
    pub(super) fn skip_line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at + 1);
    }

    fn skip_space(&mut self) -> Result<(), Unterminated> {
        loop {
            match self.peek(0) {
                byte if is_space(byte) => self.skip_while(is_space),
                b'-' if self.peek(1) == b'-' => self.skip_while(|byte| byte != b'\n' && byte != b'\r'),
                b'/' if self.peek(1) == b'*' => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Unterminated> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ if self.at >= self.bytes.len() => return Err(Unterminated { what: "comment", start }),
                _ => self.at += 1,
            }
        }
    }

    fn prefixed(&mut self, prefix: usize, escapes: bool) -> Result<TokenKind, Unterminated> {
        self.at += prefix;
        self.string(escapes)
    }

    /// A string constant, which goes on when only white space with a line break stands before the next quote.
    fn string(&mut self, escapes: bool) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        loop {
            self.at += 1;
            loop {
                match self.peek(0) {
                    b'\'' if self.peek(1) == b'\'' => self.at += 2,
                    b'\'' => break,
                    b'\\' if escapes => self.at += 2,
                    _ if self.at >= self.bytes.len() => return Err(Unterminated { what: "string", start }),
                    _ => self.at += 1,
                }
            }
            self.at += 1;
            let end = self.at;
            let mut broken = false;
            loop {
                match self.peek(0) {
                    b'\n' | b'\r' => broken = true,
                    byte if is_space(byte) => {}
                    b'-' if self.peek(1) == b'-' => {
                        self.skip_while(|byte| byte != b'\n' && byte != b'\r');
                        continue;
                    }
                    _ => break,
                }
                self.at += 1;
            }
            if !(broken && self.peek(0) == b'\'') {
                self.at = end;
                return Ok(TokenKind::Text);
            }
        }
    }

    fn quoted(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                b'"' if self.peek(1) == b'"' => self.at += 2,
                b'"' => break,
                _ if self.at >= self.bytes.len() => return Err(Unterminated { what: "quoted name", start }),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(TokenKind::Quoted)
    }

    fn dollar(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        self.at += 1;
        if self.peek(0).is_ascii_digit() {
            self.skip_while(|byte| byte.is_ascii_digit());
            return Ok(TokenKind::Parameter);
        }
        if is_name_start(self.peek(0)) {
            self.skip_while(|byte| is_name(byte) && byte != b'$');
        }
        if self.peek(0) != b'$' {
            self.at = start + 1;
            return Ok(TokenKind::Mark);
        }
        self.at += 1;
        let tag = &self.text[start..self.at];
        match self.text[self.at..].find(tag) {
            Some(length) => {
                self.at += length + tag.len();
                Ok(TokenKind::Dollar)
            }
            None => Err(Unterminated { what: "dollar-quoted string", start }),
        }
    }

    fn number(&mut self) -> TokenKind {
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        // `1..10` is a loop's range, not a fraction.
        if self.peek(0) == b'.' && self.peek(1) != b'.' {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        }
        let exponent = matches!(self.bytes.get(self.at - 1), Some(b'e' | b'E'));
        if exponent && matches!(self.peek(0), b'+' | b'-') && self.peek(1).is_ascii_digit() {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        TokenKind::Number
    }

    fn operator(&mut self) {
        while is_operator(self.peek(0)) {
            if matches!((self.peek(0), self.peek(1)), (b'-', b'-') | (b'/', b'*')) {
                return;
            }
            self.at += 1;
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b'-'
            | b'*'
            | b'/'
            | b'<'
            | b'>'
            | b'='
            | b'~'
            | b'!'
            | b'@'
            | b'#'
            | b'%'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
    )
}

#[cfg(test)]
mod tests {
    use super::TokenKind::{Dollar, Mark, Number, Operator, Parameter, Quoted, Text, Word};
    use super::*;

    fn tokens(text: &str) -> Result<Vec<(TokenKind, &str)>, Unterminated> {
        let mut lexer = Lexer::new(text);
        let mut out = Vec::new();
        while let Some(token) = lexer.next()? {
            out.push((token.kind, token.of(text)));
        }
        Ok(out)
    }

    #[track_caller]
    fn reads(text: &str, expected: &[(TokenKind, &str)]) {
        assert_eq!(tokens(text), Ok(expected.to_vec()), "{text}");
    }

    #[test]
    fn strings_of_every_form_are_one_token() {
        reads("'it''s' 'a\\'", &[(Text, "'it''s'"), (Text, "'a\\'")]);
        reads(r"E'it\'s' e'\\'", &[(Text, r"E'it\'s'"), (Text, r"e'\\'")]);
        reads(
            "B'01' X'1f' N'n' U&'d\\0061t'",
            &[(Text, "B'01'"), (Text, "X'1f'"), (Text, "N'n'"), (Text, "U&'d\\0061t'")],
        );
        reads("U&\"\\0441\" \"a\"\"b;\"", &[(Quoted, "U&\"\\0441\""), (Quoted, "\"a\"\"b;\"")]);
    }

    #[test]
    fn a_string_goes_on_after_a_line_break_in_the_same_form() {
        reads("E'a' -- more\n  '\\'b' c", &[(Text, "E'a' -- more\n  '\\'b'"), (Word, "c")]);
        reads("'a' 'b'", &[(Text, "'a'"), (Text, "'b'")]);
        reads("'a' -- no more\n c", &[(Text, "'a'"), (Word, "c")]);
    }

    #[test]
    fn dollar_quotes_need_their_own_tag_to_end() {
        reads("$a$ $b$ ; $a$", &[(Dollar, "$a$ $b$ ; $a$")]);
        reads("$$a$b$$", &[(Dollar, "$$a$b$$")]);
        reads("$é$x$é$", &[(Dollar, "$é$x$é$")]);
        reads("a$b$c $1", &[(Word, "a$b$c"), (Parameter, "$1")]);
        reads("$ 1", &[(Mark, "$"), (Number, "1")]);
    }

    #[test]
    fn comments_nest_and_end_operators() {
        reads("a /* /* ; */ */ b -- ;\r\nc", &[(Word, "a"), (Word, "b"), (Word, "c")]);
        reads("1 +/* x */- 2", &[(Number, "1"), (Operator, "+"), (Operator, "-"), (Number, "2")]);
        reads("a|>b-- x", &[(Word, "a"), (Operator, "|>"), (Word, "b")]);
    }

    #[test]
    fn numbers_keep_their_exponent_and_ranges_stay_apart() {
        reads(
            "1.5e-3 1..10 .5 0x1F 1_000",
            &[
                (Number, "1.5e-3"),
                (Number, "1"),
                (Mark, "."),
                (Number, ".10"),
                (Number, ".5"),
                (Number, "0x1F"),
                (Number, "1_000"),
            ],
        );
    }

    #[test]
    fn backslashes_escape_in_plain_strings_when_the_setting_is_off() {
        let mut lexer = Lexer::new(r"'it\'s' x");
        lexer.backslash_escapes = true;
        assert_eq!(lexer.next().map(|token| token.map(|token| token.end)), Ok(Some(7)));
    }

    #[test]
    fn what_does_not_end_is_named_with_its_start() {
        for (text, what) in [
            ("a 'b", "string"),
            ("a \"b", "quoted name"),
            ("a $x$b$y$", "dollar-quoted string"),
            ("a /*/**/", "comment"),
        ] {
            assert_eq!(tokens(text), Err(Unterminated { what, start: 2 }));
        }
    }
}
