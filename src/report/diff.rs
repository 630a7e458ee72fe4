//! A value before and after: on one line where it fits, else as a unified diff.

use serde_json::Value;
use similar::{ChangeTag, InlineChangeOptions, TextDiff};

use super::Paint;

/// The longest value that is shown on one line.
const SHORT: usize = 60;
/// The most lines of a text that is wholly new or wholly gone.
const WHOLE: usize = 30;

/// Where what is folded can be read.
pub(super) const COMPLETE: &str = ": `reconcile show --format sql`";

/// The lines that say how a field differs.
pub(super) fn field(name: &str, before: &Value, after: &Value, paint: Paint) -> Vec<String> {
    if let (Value::Object(left), Value::Object(right)) = (before, after) {
        let keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(*key)));
        let of = |object: &serde_json::Map<String, Value>, key: &str| object.get(key).cloned().unwrap_or_default();
        return keys
            .map(|key| (key, of(left, key), of(right, key)))
            .filter(|(_, left, right)| left != right)
            .flat_map(|(key, left, right)| field(&format!("{name}.{key}"), &left, &right, paint))
            .collect();
    }
    let (left, right) = (text(before), text(after));
    if [&left, &right].iter().all(|text| text.chars().count() <= SHORT && !text.contains('\n')) {
        return vec![format!("{name}  {} → {}", paint.red(left), paint.green(right))];
    }
    let body = |value: &Value, text: String| match value {
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() => String::new(),
        // A last line with a newline would differ from one without.
        _ => format!("{}\n", text.trim_end_matches('\n')),
    };
    let diff = unified(&body(before, left), &body(after, right), paint);
    let indented = diff.into_iter().map(|line| format!("  {line}"));
    std::iter::once(format!("{name}:")).chain(indented).collect()
}

/// A unified diff, with the words that differ within a line underlined where there is colour.
fn unified(before: &str, after: &str, paint: Paint) -> Vec<String> {
    let diff = TextDiff::from_lines(before, after);
    let single = [before, after].iter().all(|text| text.lines().count() <= 1);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        if !single {
            lines.push(paint.dim(hunk.header().to_string().trim_end()));
        }
        for op in hunk.ops() {
            for change in diff.iter_inline_changes_with_options(op, InlineChangeOptions::default()) {
                let words: String = change
                    .iter_strings_lossy()
                    .map(|(differs, word)| (differs, word.trim_end_matches('\n').to_owned()))
                    .map(|(differs, word)| if differs && !word.is_empty() { paint.emphasis(word) } else { word })
                    .collect();
                lines.push(match change.tag() {
                    ChangeTag::Delete => paint.red(format!("-{words}")),
                    ChangeTag::Insert => paint.green(format!("+{words}")),
                    ChangeTag::Equal => format!(" {words}"),
                });
            }
        }
    }
    if before.is_empty() || after.is_empty() { folded(lines, WHOLE, COMPLETE, paint) } else { lines }
}

/// Lines, of which those beyond a limit are only counted; `hint` says where they are.
pub(super) fn folded(mut lines: Vec<String>, limit: usize, hint: &str, paint: Paint) -> Vec<String> {
    // A note that stands for a few lines saves nothing.
    if lines.len() > limit + 3 {
        let more = lines.len() - limit;
        lines.truncate(limit);
        lines.push(paint.dim(format!("… {more} more lines{hint}")));
    }
    lines
}

/// A value as text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "''".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) if items.iter().any(Value::is_object) => crate::sql::join(items.iter().map(text), "\n"),
        Value::Array(items) => crate::sql::join(items.iter().map(text), ", "),
        Value::Object(fields) => {
            let said = fields.iter().filter(|(_, value)| !value.is_null());
            crate::sql::join(said.map(|(name, value)| format!("{name}: {}", text(value))), ", ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
