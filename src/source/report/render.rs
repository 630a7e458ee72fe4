//! Failures as text: the source line with a caret, and everything that is known below it.

use super::Failure;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// All failures, and how many there are.
pub(super) fn all(failures: &[Failure], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out: Vec<String> = failures.iter().map(|failure| one(failure, &renderer)).collect();
    let consequences = failures.iter().filter(|failure| failure.consequence_of.is_some()).count();
    let what = if failures.len() == 1 {
        "1 statement fails".to_owned()
    } else {
        format!("{} statements fail", failures.len())
    };
    out.push(match consequences {
        0 => what,
        1 => format!("{what}, 1 of them because of another"),
        _ => format!("{what}, {consequences} of them because of others"),
    });
    out.join("\n\n")
}

fn one(failure: &Failure, renderer: &Renderer) -> String {
    let text = &failure.file.text;
    let start = text[..failure.statement.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[failure.caret.end..].find('\n').map_or(text.len(), |at| failure.caret.end + at);
    let line = failure.file.location(start).line;
    let shift = |range: &std::ops::Range<usize>| range.start - start..range.end - start;
    let mut snippet = Snippet::source(&text[start..end])
        .line_start(line)
        .path(failure.file.path.as_str())
        .annotation(AnnotationKind::Primary.span(shift(&failure.caret)));
    let first = failure.statement.start..failure.statement.start + 1;
    if text[failure.statement.start..failure.caret.start].contains('\n') {
        snippet = snippet.annotation(AnnotationKind::Visible.span(shift(&first)));
    }
    let title = format!("{}: {}", failure.title, failure.message);
    let mut group = Group::with_title(Level::ERROR.primary_title(title).id(failure.sqlstate.as_str())).element(snippet);
    let note = |name: &'static str, text: &str| Level::NOTE.with_name(name).message(text.to_owned());
    if let Some(detail) = &failure.detail {
        group = group.element(note("detail", detail));
    }
    for hint in &failure.hints {
        group = group.element(Level::HELP.with_name("hint").message(hint.clone()));
    }
    if let Some(context) = &failure.context {
        group = group.element(note("where", context));
    }
    if let Some(root) = &failure.consequence_of {
        group = group.element(note("note", &format!("a consequence of the error at {root}")));
    }
    renderer.render(&[group])
}
