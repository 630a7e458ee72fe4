//! How far `apply` has come: one line that moves on a terminal, lines of their own elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Terminal;
use crate::apply::{Holder, Progress};

/// The longest piece of a statement that is shown.
const SHOWN: usize = 100;

/// What fits the terminal.
pub(super) fn of(terminal: Terminal) -> Box<dyn Progress> {
    if terminal.moving {
        let bar = ProgressBar::new(0);
        // The template is a constant that is known to be good; the fallback shows the same with less grace.
        let style = ProgressStyle::with_template("[{pos}/{len}] {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Box::new(Bar(bar))
    } else {
        Box::new(Lines { terminal, of: 0, sql: String::new() })
    }
}

/// A line that moves, and is gone in the end.
struct Bar(ProgressBar);

impl Progress for Bar {
    fn waiting(&mut self, holder: &Holder) {
        self.0.set_message(waiting(holder));
        self.0.enable_steady_tick(Duration::from_millis(200));
    }

    fn begin(&mut self, done: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
        self.0.enable_steady_tick(Duration::from_millis(200));
    }

    fn step(&mut self, _: usize, _: usize, sql: &str) {
        self.0.set_message(title(sql));
    }

    fn done(&mut self, number: usize, _: Duration) {
        self.0.set_position(number as u64);
    }

    fn verifying(&mut self, _: usize) {
        self.0.set_message("reading the database back");
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A line for each step, when it has ended.
struct Lines {
    terminal: Terminal,
    of: usize,
    sql: String,
}

impl Progress for Lines {
    fn waiting(&mut self, holder: &Holder) {
        self.terminal.note(&format!("{}\n", waiting(holder)));
    }

    fn begin(&mut self, done: usize, of: usize) {
        self.of = of;
        if done > 0 {
            self.terminal.note(&format!("[{done}/{of}] done by an earlier attempt\n"));
        }
    }

    fn step(&mut self, _: usize, _: usize, sql: &str) {
        self.sql = title(sql);
    }

    fn done(&mut self, number: usize, elapsed: Duration) {
        let (of, sql) = (self.of, &self.sql);
        self.terminal.note(&format!("[{number}/{of}] {sql} ({:.2} s)\n", elapsed.as_secs_f64()));
    }
}

fn waiting(holder: &Holder) -> String {
    format!("waiting for another apply: {holder}")
}

/// A statement in one line.
fn title(sql: &str) -> String {
    let line = crate::sql::join(sql.split_whitespace(), " ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, title};

    #[test]
    fn statements_are_shown_in_one_line() {
        assert_eq!(title("CREATE TABLE a (\n    id int\n)"), "CREATE TABLE a ( id int )");
        let long = title(&"é ".repeat(SHOWN));
        assert!(long.ends_with("é…") && long.chars().count() <= SHOWN + 1, "{long}");
    }
}
