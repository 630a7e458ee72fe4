//! What the copy answers, as text.

use postgres::{Client, SimpleQueryMessage};

/// The rows of a query; what is missing is empty.
pub(super) fn rows(client: &mut Client, query: &str) -> Result<Vec<Vec<String>>, postgres::Error> {
    let messages = client.simple_query(query)?;
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|i| row.get(i).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    };
    Ok(messages.iter().filter_map(row).collect())
}

/// The first column of every row of a query.
pub(super) fn texts(client: &mut Client, query: &str) -> Result<Vec<String>, postgres::Error> {
    Ok(rows(client, query)?.into_iter().filter_map(|row| row.into_iter().next()).collect())
}
