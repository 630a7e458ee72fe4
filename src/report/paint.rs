//! Colours by meaning, or none.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Paints text where colour is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Paint(pub bool);

impl Paint {
    fn with(self, style: Style, text: impl Display) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    fn color(self, color: AnsiColor, text: impl Display) -> String {
        self.with(Style::new().fg_color(Some(color.into())), text)
    }

    /// What is created.
    pub fn green(self, text: impl Display) -> String {
        self.color(AnsiColor::Green, text)
    }

    /// What is dropped.
    pub fn red(self, text: impl Display) -> String {
        self.color(AnsiColor::Red, text)
    }

    /// What is lost.
    pub fn alarm(self, text: impl Display) -> String {
        self.with(Style::new().bold().fg_color(Some(AnsiColor::Red.into())), text)
    }

    /// What is changed, and what may fail.
    pub fn yellow(self, text: impl Display) -> String {
        self.color(AnsiColor::Yellow, text)
    }

    /// What moves because something else does.
    pub fn cyan(self, text: impl Display) -> String {
        self.color(AnsiColor::Cyan, text)
    }

    /// What is said only for completeness.
    pub fn dim(self, text: impl Display) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// A heading.
    pub fn bold(self, text: impl Display) -> String {
        self.with(Style::new().bold(), text)
    }

    /// The words of a line that differ.
    pub fn emphasis(self, text: impl Display) -> String {
        self.with(Style::new().underline(), text)
    }
}
