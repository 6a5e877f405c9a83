//! What a search looks for, and what it shows of a hit. Texts are compared folded: as the database's `chat_fold` folds them, which decides what
//! is found; the same fold here finds the place again, in the text as it was written.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

/// How long a query may be (characters).
pub const MAX_QUERY: usize = 100;
/// How many grams of a query are looked up; what they find is compared with all of it anyway.
const MAX_GRAMS: usize = 12;
/// How much is shown on each side of a hit (what people see as characters), and how far from there a word's border is looked for.
const SIDE: usize = 40;
const BORDER: usize = 15;
/// Between phone number, name and username in what is searched of a conversation.
const SEPARATOR: char = '\u{1f}';

/// Where a message has what was searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snippet {
    /// What stands before it, some 40 characters at the most.
    pub before: String,
    /// What was found, as it is written there.
    #[serde(rename = "match")]
    pub found: String,
    /// What stands after it, some 40 characters at the most.
    pub after: String,
}

/// The form in which texts are compared: NFKC, small letters, one sigma, without what is no letter of its own.
#[must_use]
pub fn fold(text: &str) -> String {
    let folded = text.nfkc().flat_map(char::to_lowercase).filter(|c| !is_mark(*c));
    folded.map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// Accents that stay apart from their letter; Arabic tatweel and vowel signs; what only says how to set a text, as WhatsApp puts around
/// phone numbers.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A pattern for `like` that matches whatever has this text in it.
#[must_use]
pub fn like_pattern(folded: &str) -> String {
    let mut pattern = String::from("%");
    for c in folded.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The grams by which messages with this text are found: its trigrams; of one or two characters themselves where such are indexed, as
/// Chinese ones are. Empty where there are none.
#[must_use]
pub fn message_grams(folded: &str) -> Vec<String> {
    let chars: Vec<char> = folded.chars().collect();
    let is_wide = |c: &char| c.len_utf8() > 2;
    match chars.len() {
        3.. => trigrams(&chars),
        _ if chars.iter().any(is_wide) => vec![folded.to_owned()],
        _ => Vec::new(),
    }
}

/// The same of what is searched of conversations, where short grams of all scripts are indexed.
#[must_use]
pub fn name_grams(folded: &str) -> Vec<String> {
    let chars: Vec<char> = folded.chars().collect();
    match chars.len() {
        3.. => trigrams(&chars),
        _ => vec![folded.to_owned()],
    }
}

/// At most [`MAX_GRAMS`], from all over the text.
fn trigrams(chars: &[char]) -> Vec<String> {
    let count = chars.len() - 2;
    let taken = count.min(MAX_GRAMS);
    let starts = (0..taken).map(|n| if taken > 1 { n * (count - 1) / (taken - 1) } else { 0 });
    let mut grams: Vec<String> = starts.map(|start| chars[start..start + 3].iter().collect()).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// What is searched for among conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameQuery {
    /// For `like`, on name, username and phone number.
    pub pattern: String,
    /// The grams of it.
    pub grams: Vec<String>,
    /// The same of the phone number alone, where the query is written like one: only its digits count.
    pub phone: Option<(String, Vec<String>)>,
}

impl NameQuery {
    /// Of a folded query.
    #[must_use]
    pub fn new(folded: &str) -> Self {
        let folded = folded.replace(SEPARATOR, " ");
        let is_phone = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-()[]./\u{2010}\u{2011}".contains(c);
        let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
        let phone = (folded.chars().all(is_phone) && !digits.is_empty() && digits != folded)
            .then(|| (format!("%{digits}%{SEPARATOR}%{SEPARATOR}%"), name_grams(&digits)));
        Self {
            pattern: like_pattern(&folded),
            grams: name_grams(&folded),
            phone,
        }
    }
}

/// Where the first of `texts` that has `query` in it has it. What the database found and this cannot find, since its Unicode is another
/// version, is shown from its start.
#[must_use]
pub fn snippet(texts: &[Option<&str>], query: &str) -> Snippet {
    let query = fold(query);
    let mut texts = texts.iter().copied().flatten();
    let found = texts.clone().find_map(|text| find(text, &query));
    found.unwrap_or_else(|| Snippet {
        before: String::new(),
        found: String::new(),
        after: head(
            &texts.next().unwrap_or_default().graphemes(true).collect::<Vec<_>>(),
            2 * SIDE,
        ),
    })
}

fn find(text: &str, query: &str) -> Option<Snippet> {
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    let mut folded = String::with_capacity(text.len());
    // Where each grapheme begins in `folded`. Nothing composes or changes across their borders.
    let mut starts = Vec::with_capacity(graphemes.len());
    for grapheme in &graphemes {
        starts.push(folded.len());
        folded.push_str(&fold(grapheme));
    }
    let at = folded.find(query)?;
    // The last one that begins there or before; of several that begin there all but the last are nothing when folded.
    let index_of = |byte: usize| starts.partition_point(|start| *start <= byte) - 1;
    let (first, last) = (index_of(at), index_of(at + query.len().max(1) - 1));
    Some(Snippet {
        before: tail(&graphemes[..first], SIDE),
        found: graphemes[first..=last].concat(),
        after: head(&graphemes[last + 1..], SIDE),
    })
}

fn is_space(grapheme: &&str) -> bool {
    grapheme.chars().all(char::is_whitespace)
}

/// The start of a text, up to a word's border where there is one near.
fn head(graphemes: &[&str], length: usize) -> String {
    let Some(next) = graphemes.get(length) else {
        return graphemes.concat();
    };
    let shown = &graphemes[..length];
    if is_space(next) {
        return shown.concat();
    }
    let border = shown.iter().rposition(is_space).filter(|at| *at + BORDER >= length);
    shown[..border.unwrap_or(length)].concat()
}

/// The end of a text, from a word's border on where there is one near.
fn tail(graphemes: &[&str], length: usize) -> String {
    let Some(cut) = graphemes.len().checked_sub(length).filter(|cut| *cut > 0) else {
        return graphemes.concat();
    };
    let shown = &graphemes[cut..];
    if is_space(&graphemes[cut - 1]) {
        return shown.concat();
    }
    let border = shown.iter().position(is_space).filter(|at| *at < BORDER);
    shown[border.map_or(0, |at| at + 1)..].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, query: &str) -> (String, String, String) {
        let snippet = snippet(&[None, Some(text)], query);
        (snippet.before, snippet.found, snippet.after)
    }

    fn parts(before: &str, found: &str, after: &str) -> (String, String, String) {
        (before.to_owned(), found.to_owned(), after.to_owned())
    }

    #[test]
    fn a_hit_is_shown_as_it_is_written_whatever_folding_makes_of_it() {
        for (text, query, before, found, after) in [
            ("Where is ORDER 5?", "order", "Where is ", "ORDER", " 5?"),
            ("Grüße aus KÖLN!", "köln", "Grüße aus ", "KÖLN", "!"),
            // A capital letter that has two characters when it is small, and one that is three bytes instead of two.
            ("In İstanbul ok", "istanbul", "In ", "İstanbul", " ok"),
            ("ȺȺȺ hit Ⱥ", "HIT", "ȺȺȺ ", "hit", " Ⱥ"),
            ("ΟΔΟΣ και οδος", "ΟΔΟΣ", "", "ΟΔΟΣ", " και οδος"),
            // An accent that is a character of its own.
            ("le cafe\u{301} noir", "café", "le ", "cafe\u{301}", " noir"),
            ("le café noir", "CAFE\u{301}", "le ", "café", " noir"),
            // One character that NFKC makes several of, and wide ones that it makes narrow.
            ("see \u{fb01}nance", "fin", "see ", "\u{fb01}n", "ance"),
            ("ＡＢＣ ﷺ", "abc", "", "ＡＢＣ", " ﷺ"),
            ("قال مَرْحَبــاً بكم", "مرحبا", "قال ", "مَرْحَبــاً", " بكم"),
            ("请问订单什么时候到货？", "订单", "请问", "订单", "什么时候到货？"),
            ("한국어 메시지", "국어", "한", "국어", " 메시지"),
            ("so 👍🏽👨‍👩‍👧 ok", "👨‍👩‍👧", "so 👍🏽", "👨‍👩‍👧", " ok"),
            // Not within what people see as one character.
            ("a 👨‍👩‍👧 b", "👩", "a ", "👨‍👩‍👧", " b"),
            ("100% sure_", "0% s", "10", "0% s", "ure_"),
        ] {
            assert_eq!(shown(text, query), parts(before, found, after), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_words_and_never_within_a_character() {
        let text = format!("{} needle {}", "lorem ipsum ".repeat(400), "dolor sit ".repeat(400));
        let (before, found, after) = shown(&text, "NEEDLE");
        assert_eq!(found, "needle");
        assert_eq!(before, "lorem ipsum lorem ipsum lorem ipsum  ");
        assert_eq!(after, " dolor sit dolor sit dolor sit dolor sit");
        let family = "👨‍👩‍👧";
        let (before, _, after) = shown(&format!("{}词{}", family.repeat(100), family.repeat(100)), "词");
        assert_eq!((before, after), (family.repeat(40), family.repeat(40)));
        let (before, _, after) = shown(&format!("{}x{}", "字".repeat(90), "字".repeat(90)), "X");
        assert_eq!((before, after), ("字".repeat(40), "字".repeat(40)));
    }

    #[test]
    fn the_caption_is_looked_at_too_and_what_is_not_found_shows_its_start() {
        let both = snippet(&[Some("nothing"), Some("the hit")], "hit");
        assert_eq!((both.before.as_str(), both.found.as_str()), ("the ", "hit"));
        assert_eq!(shown("nothing", "hit"), parts("", "", "nothing"));
        assert_eq!(snippet(&[None, None], "hit").after, "");
    }

    #[test]
    fn grams_are_trigrams_or_short_ones_of_wide_scripts() {
        assert_eq!(message_grams("order"), ["der", "ord", "rde"]);
        assert_eq!(message_grams("ok"), Vec::<String>::new());
        assert_eq!(message_grams("é"), Vec::<String>::new());
        for text in ["订", "订单", "a订", "👍"] {
            assert_eq!(message_grams(text), [text]);
        }
        assert_eq!(message_grams("订单号"), ["订单号"]);
        assert_eq!(name_grams("ok"), ["ok"]);
        let long: String = ('\u{4e00}'..).take(MAX_QUERY).collect();
        let grams = message_grams(&long);
        assert_eq!(grams.len(), MAX_GRAMS);
        assert!(
            long.starts_with(&grams[0]) && long.ends_with(&grams[MAX_GRAMS - 1]),
            "from all over it"
        );
    }

    #[test]
    fn percent_and_underscore_are_letters() {
        assert_eq!(like_pattern(r"50%_\"), r"%50\%\_\\%");
    }

    #[test]
    fn a_phone_number_is_searched_by_its_digits() {
        let phone = |q: &str| {
            NameQuery::new(q)
                .phone
                .map(|(pattern, _)| pattern.replace(SEPARATOR, "|"))
        };
        for (q, pattern) in [
            ("+49 (151) 23-45", Some("%491512345%|%|%")),
            ("+49", Some("%49%|%|%")),
            ("491512345", None),
            ("+", None),
            ("(-)", None),
            ("room 5", None),
        ] {
            assert_eq!(phone(q).as_deref(), pattern, "{q}");
        }
    }
}
