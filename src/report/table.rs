//! Tables without borders.

use comfy_table::{Attribute, Cell, ContentArrangement, presets};

use super::Paint;

/// A table without borders, coloured only where colour is wanted.
pub struct Table(comfy_table::Table);

impl Table {
    /// A table with these headings and no row.
    pub fn new<const N: usize>(header: [&str; N], paint: Paint) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if paint.0 {
            table.enforce_styling();
            table.style_text_only();
        } else {
            table.force_no_tty();
        }
        table.set_header(header.map(|text| Cell::new(text).add_attribute(Attribute::Dim)));
        Self(table)
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        self.0.add_row(cells.into_iter().map(Into::into).collect::<Vec<Cell>>());
    }

    /// The lines, without space at their ends; none where there is no row.
    pub fn lines(mut self) -> Vec<String> {
        if self.0.row_count() == 0 {
            return Vec::new();
        }
        self.0.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        self.0.to_string().lines().map(|line| line.trim_end().to_owned()).collect()
    }
}
