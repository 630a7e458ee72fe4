//! The name that somebody may have meant.

/// The closest of some names, if one is close enough to be a slip.
pub(super) fn closest(name: &str, others: impl IntoIterator<Item = String>) -> Option<String> {
    // Every short name is close to every other.
    let most = name.chars().count().div_ceil(3).saturating_sub(1).min(3);
    let near = others.into_iter().filter(|other| other != name).map(|other| (distance(name, &other, most), other));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, other)| other)
}

/// How many letters have to be changed, added, removed or swapped; more than `most` is not counted out.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_names() {
        let names = || ["users", "orders", "order_items"].map(str::to_owned);
        assert_eq!(closest("user", names()).as_deref(), Some("users"));
        assert_eq!(closest("ordres", names()).as_deref(), Some("orders"));
        assert_eq!(closest("order_itms", names()).as_deref(), Some("order_items"));
        assert_eq!(closest("invoices", names()), None);
        assert_eq!(closest("users", names()), None);
    }
}
