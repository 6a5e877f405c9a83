//! Who a customer is: a phone number where WhatsApp shows one, and the business-scoped user id where it gives one.

use aws_lc_rs::digest::{SHA256, digest};

/// The longest user id that is taken for one, in characters (WhatsApp documents 131): an index row has room for little more.
const LONGEST_USER_ID: usize = 255;

/// The prefix of a key that stands in for a phone number.
const USER_ID_KEY: &str = "bsuid:";

/// A customer as one webhook item names them. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// E.164 with `+`.
    pub phone: Option<String>,
    /// Business-scoped user id: opaque, unique within one business portfolio.
    pub user_id: Option<String>,
}

impl Customer {
    /// Reads what a webhook gives as sender. What is no phone number in `from` is an opaque id: WhatsApp decides what its ids look
    /// like, and a message is worth more than its sender's form. `None` where nobody is named.
    #[must_use]
    pub fn new(from: Option<&str>, user_id: Option<&str>) -> Option<Self> {
        let from = from.filter(|from| !from.trim().is_empty());
        let phone = from.and_then(phone_of);
        let opaque = from.filter(|_| phone.is_none());
        let is_id = |id: &&str| !id.trim().is_empty() && id.chars().count() <= LONGEST_USER_ID;
        let user_id = user_id.filter(is_id).or(opaque.filter(is_id)).map(str::to_owned);
        (phone.is_some() || user_id.is_some()).then_some(Self { phone, user_id })
    }

    /// The ids, the phone number first.
    pub fn ids(&self) -> impl Iterator<Item = CustomerId> {
        let phone = self.phone.clone().map(CustomerId::Phone);
        phone.into_iter().chain(self.user_id.clone().map(CustomerId::UserId))
    }

    /// The value of `customer_phone`: the phone number, else a hash of the user id, since that column is NOT NULL and has 50
    /// characters.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.phone, &self.user_id) {
            (Some(phone), _) => phone.clone(),
            (None, user_id) => {
                let hash = digest(&SHA256, user_id.as_deref().unwrap_or_default().as_bytes());
                format!("{USER_ID_KEY}{}", hex::encode(&hash.as_ref()[..16]))
            }
        }
    }
}

/// By what a customer is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CustomerId {
    /// E.164 with `+`.
    Phone(String),
    /// Business-scoped user id.
    UserId(String),
}

impl CustomerId {
    /// The `kind` column.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::UserId(_) => "user_id",
        }
    }

    /// The `value` column.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Phone(value) | Self::UserId(value) => value,
        }
    }
}

/// What one item says of who a customer is: all these ids are one person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The ids that the customer has as of the item.
    pub customer: Customer,
    /// Ids that they had before, or that stand beside the others without saying when.
    pub others: Vec<CustomerId>,
}

impl Identity {
    /// Ids that stand together in something that says nothing of when they were used.
    #[must_use]
    pub fn linked(customer: &Customer) -> Self {
        Self {
            others: customer.ids().collect(),
            customer: Customer {
                phone: None,
                user_id: None,
            },
        }
    }

    /// Every id, the present ones first.
    pub fn ids(&self) -> impl Iterator<Item = CustomerId> {
        self.customer.ids().chain(self.others.iter().cloned())
    }
}

impl From<Customer> for Identity {
    fn from(customer: Customer) -> Self {
        Self {
            customer,
            others: Vec::new(),
        }
    }
}

/// The phone number in a `customer_phone` column, E.164 with `+`; `None` where the column holds the key of a user id.
#[must_use]
pub fn phone_in_key(key: &str) -> Option<String> {
    (!key.starts_with(USER_ID_KEY)).then(|| phone_of(key).unwrap_or_else(|| key.to_owned()))
}

/// E.164 with `+` from the forms that people and programs write. `None` where it is no phone number.
#[must_use]
pub fn phone_of(text: &str) -> Option<String> {
    let text = text.trim();
    let digits: String = text
        .strip_prefix('+')
        .unwrap_or(text)
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{a0}'))
        .collect();
    // E.164 ends at 15 digits; test numbers of WhatsApp go up to 17.
    let is_phone = (5..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_phone.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_e164_whatever_its_form() {
        for form in [
            "5511987654321",
            "+5511987654321",
            "+55 (11) 98765-4321",
            " 55 11 98765.4321",
        ] {
            assert_eq!(phone_of(form).as_deref(), Some("+5511987654321"), "{form}");
        }
        for form in ["", "+", "12a45678", "1234", "PHONE_NUMBER", "++123456", "١٢٣٤٥٦"] {
            assert_eq!(phone_of(form), None, "{form}");
        }
    }

    #[test]
    fn a_customer_without_a_phone_number_has_a_key_of_38_characters() {
        let customer = Customer::new(Some(""), Some("BR.1234")).unwrap();
        assert_eq!(customer.phone, None);
        assert_eq!(customer.key().len(), 38);
        assert_eq!(phone_in_key(&customer.key()), None);
        assert_eq!(phone_in_key("4912345678").as_deref(), Some("+4912345678"));
        assert_eq!(Customer::new(None, Some(" ")), None);
        assert_eq!(Customer::new(Some(&"x".repeat(256)), None), None);
        assert_eq!(
            Customer::new(Some("someone"), None).unwrap().user_id.as_deref(),
            Some("someone")
        );
    }
}
