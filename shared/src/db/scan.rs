//! A [`Seek`] as SQL says it: lists are read in its direction, one row more than asked for, which tells whether there are more.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::DbError;
use crate::domain::page::{Position, Section, Seek};

/// The parts of a statement that read a page.
pub(super) struct Scan {
    /// Between the sort key and the position where the page begins.
    pub(super) comparison: &'static str,
    /// Of the rows.
    pub(super) order: &'static str,
    /// The position's time; null where the page begins at the end.
    pub(super) time: Option<Timestamp>,
    /// The position's id.
    pub(super) id: Option<i64>,
    /// How many rows are left out.
    pub(super) offset: i64,
    /// How many rows are read.
    pub(super) limit: i64,
}

impl Scan {
    pub(super) fn new(seek: Seek, limit: i64) -> Self {
        let (comparison, order, position) = match seek {
            Seek::Before(position) => ("<", "desc", Some(position)),
            Seek::After(position) => (">", "asc", Some(position)),
            Seek::Newest | Seek::Offset(_) => ("<", "desc", None),
        };
        Self {
            comparison,
            order,
            time: position.map(Position::time),
            id: position.map(|position| position.id),
            offset: if let Seek::Offset(offset) = seek { offset } else { 0 },
            limit: limit + 1,
        }
    }

    /// Of one section of a list that is read in the seek's direction, from `begin` on, or from the section's end.
    pub(super) fn of_section(section: Section, seek: Seek, begin: Option<Position>, limit: i64) -> Self {
        let scan = Self::new(seek, limit);
        let (comparison, order) = match (section, scan.order) {
            // The only one in which what is oldest comes first.
            (Section::Waiting, "desc") => (">", "asc"),
            (Section::Waiting, _) => ("<", "desc"),
            _ => (scan.comparison, scan.order),
        };
        Self {
            comparison,
            order,
            time: begin.map(Position::time),
            id: begin.map(|position| position.id),
            ..scan
        }
    }
}

/// The position of a row by the columns of its sort key and its id.
pub(super) fn position(row: &Row, sort_key: usize, id: usize) -> Result<Position, DbError> {
    Ok(Position {
        section: Section::Only,
        micros: row.try_get::<_, Timestamp>(sort_key)?.as_microsecond(),
        id: row.try_get(id)?,
    })
}
