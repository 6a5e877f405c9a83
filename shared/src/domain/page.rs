//! Paging by seek: a cursor names the row after which a page begins, so that a page costs the same at any depth and rows that arrive
//! in between move nothing.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;

/// How many rows a page has where the client does not say.
pub const DEFAULT_LIMIT: i64 = 50;
/// How many it has at the most.
pub const MAX_LIMIT: i64 = 100;

/// PostgreSQL's times begin with the Julian calendar's day 0, 4714 BC; those of [`Timestamp`] earlier.
const FIRST_MICROS: i64 = -210_866_803_200_000_000;

/// The part of a list in which a row stands. Each is ordered by (time, id).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Section {
    /// Of a list that has no parts, newest first.
    #[default]
    Only,
    /// Conversations that wait for an answer, longest first.
    Waiting,
    /// Those that do not, after them, newest first.
    Answered,
}

/// Where a row stands in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The part of the list.
    pub section: Section,
    /// The time, microseconds since 1970, as PostgreSQL keeps it.
    pub micros: i64,
    /// The row's id.
    pub id: i64,
}

/// From which row, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// The newest rows.
    Newest,
    /// Rows older than this one, newest first.
    Before(Position),
    /// Rows newer than this one, those next to it.
    After(Position),
    /// The newest rows but this many.
    Offset(i64),
}

impl Position {
    /// The position as time and id, for SQL.
    #[must_use]
    pub fn time(self) -> Timestamp {
        Timestamp::from_microsecond(self.micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Seek {
    /// An opaque cursor; `None` for the forms that need none.
    #[must_use]
    pub fn to_cursor(self) -> Option<String> {
        let (way, position) = match self {
            Self::Before(position) => ('b', position),
            Self::After(position) => ('a', position),
            Self::Newest | Self::Offset(_) => return None,
        };
        let section = match position.section {
            Section::Only => "",
            Section::Waiting => "w",
            Section::Answered => "n",
        };
        let text = format!("{way}{section}{}.{}", position.micros, position.id);
        Some(BASE64_URL_SAFE_NO_PAD.encode(text))
    }

    /// Reads a cursor; `None` where it is not one of ours.
    #[must_use]
    pub fn from_cursor(cursor: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        let way = text.chars().next()?;
        let rest = text.get(1..)?;
        let (section, rest) = match rest.chars().next()? {
            'w' => (Section::Waiting, &rest[1..]),
            'n' => (Section::Answered, &rest[1..]),
            _ => (Section::Only, rest),
        };
        let (micros, id) = rest.split_once('.')?;
        let micros = micros.parse().ok()?;
        Timestamp::from_microsecond(micros)
            .ok()
            .filter(|_| micros >= FIRST_MICROS)?;
        let position = Position {
            section,
            micros,
            id: id.parse().ok()?,
        };
        let seek = match way {
            'b' => Self::Before(position),
            'a' => Self::After(position),
            _ => return None,
        };
        // A number can be written in several ways, and we write one.
        (seek.to_cursor().as_deref() == Some(cursor)).then_some(seek)
    }

    /// The position where the page begins, if it is not at an end of the list.
    #[must_use]
    pub fn position(self) -> Option<Position> {
        match self {
            Self::Before(position) | Self::After(position) => Some(position),
            Self::Newest | Self::Offset(_) => None,
        }
    }
}

/// A page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Leads to older rows; `None` at the end.
    pub next_cursor: Option<String>,
    /// Leads to newer rows; `None` at the end.
    pub prev_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows, each with its position, that were read in the seek's direction, one more than `limit` where there are more.
    #[must_use]
    pub fn new(mut rows: Vec<(T, Position)>, seek: Seek, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self::of(rows, seek, more)
    }

    /// The same of rows that are no more than a page's, where it is known whether there are more.
    fn of(mut rows: Vec<(T, Position)>, seek: Seek, more: bool) -> Self {
        if matches!(seek, Seek::After(_)) {
            rows.reverse();
        }
        let (has_older, has_newer) = match seek {
            Seek::Newest => (more, false),
            Seek::Offset(offset) => (more, offset > 0),
            Seek::Before(_) => (more, true),
            Seek::After(_) => (true, more),
        };
        // A page of no rows, where there are more, leads to where it began.
        let begin = seek.position().filter(|_| more);
        let older = rows.last().map(|row| row.1).or(begin).filter(|_| has_older);
        let newer = rows.first().map(|row| row.1).or(begin).filter(|_| has_newer);
        Self {
            next_cursor: older.and_then(|position| Seek::Before(position).to_cursor()),
            prev_cursor: newer.and_then(|position| Seek::After(position).to_cursor()),
            rows: rows.into_iter().map(|(row, _)| row).collect(),
        }
    }

    /// A page that ends before it is full, since the search for more went on up to `reached` without a hit and may go on from there.
    #[must_use]
    pub fn searched_to(rows: Vec<(T, Position)>, seek: Seek, reached: Position) -> Self {
        let mut page = Self::of(rows, seek, true);
        let further = match seek {
            Seek::After(_) => &mut page.prev_cursor,
            _ => &mut page.next_cursor,
        };
        *further = match seek {
            Seek::After(_) => Seek::After(reached).to_cursor(),
            _ => Seek::Before(reached).to_cursor(),
        };
        page
    }

    /// The same page with something else in the place of each row, or nothing.
    pub fn map<U>(self, change: impl FnMut(T) -> Option<U>) -> Page<U> {
        Page {
            rows: self.rows.into_iter().filter_map(change).collect(),
            next_cursor: self.next_cursor,
            prev_cursor: self.prev_cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: i64) -> Position {
        Position {
            section: Section::Only,
            micros: id * 10,
            id,
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for seek in [Seek::Before(at(7)), Seek::After(at(-3))] {
            assert_eq!(Seek::from_cursor(&seek.to_cursor().unwrap()), Some(seek));
        }
        for section in [Section::Waiting, Section::Answered] {
            let seek = Seek::Before(Position { section, ..at(-7) });
            assert_eq!(Seek::from_cursor(&seek.to_cursor().unwrap()), Some(seek));
        }
        for forged in ["", "x", "YjE", "YjEuMS4x", "w6kxLjE", "OTkuMQ"] {
            assert_eq!(Seek::from_cursor(forged), None, "{forged}");
        }
    }

    fn page(ids: &[i64], seek: Seek) -> Page<i64> {
        Page::new(ids.iter().map(|id| (*id, at(*id))).collect(), seek, 2)
    }

    #[test]
    fn cursors_are_null_at_the_ends() {
        let newest = page(&[3, 2, 1], Seek::Newest);
        assert_eq!(newest.rows, [3, 2]);
        assert_eq!(newest.next_cursor, Seek::Before(at(2)).to_cursor());
        assert_eq!(newest.prev_cursor, None);
        let oldest = page(&[1], Seek::Before(at(2)));
        assert_eq!(oldest.next_cursor, None);
        assert_eq!(oldest.prev_cursor, Seek::After(at(1)).to_cursor());
        let newer = page(&[2, 3, 4], Seek::After(at(1)));
        assert_eq!(newer.rows, [3, 2]);
        assert_eq!(newer.prev_cursor, Seek::After(at(3)).to_cursor());
        let nothing = page(&[], Seek::Before(at(1)));
        assert_eq!((nothing.next_cursor, nothing.prev_cursor), (None, None));
    }

    #[test]
    fn a_search_that_is_not_at_its_end_goes_on_where_it_stopped() {
        let down = Page::searched_to(vec![(8, at(8))], Seek::Newest, at(5));
        assert_eq!(down.next_cursor, Seek::Before(at(5)).to_cursor());
        assert_eq!(down.prev_cursor, None);
        let up = Page::<i64>::searched_to(Vec::new(), Seek::After(at(1)), at(5));
        assert_eq!(up.prev_cursor, Seek::After(at(5)).to_cursor());
        assert_eq!(up.next_cursor, Seek::Before(at(1)).to_cursor());
    }
}
