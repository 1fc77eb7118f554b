//! The kinds of content, what must arrive of each, and the form in which it arrives.

use trunkline_core::model::{Capabilities, Role};

/// A kind of content, or of a statement about an earlier message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Markdown,
    Html,
    Choices,
    Selection,
    File,
    Files,
    PrivateFile,
    Cards,
    Location,
    Contact,
    Reply,
    Edit,
    Deletion,
    Reaction,
    ReadReceipt,
}

pub const ALL: [Kind; 16] = [
    Kind::Text,
    Kind::Markdown,
    Kind::Html,
    Kind::Choices,
    Kind::Selection,
    Kind::File,
    Kind::Files,
    Kind::PrivateFile,
    Kind::Cards,
    Kind::Location,
    Kind::Contact,
    Kind::Reply,
    Kind::Edit,
    Kind::Deletion,
    Kind::Reaction,
    Kind::ReadReceipt,
];

/// How a kind arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Native,
    /// In another form.
    Degraded(&'static str),
    /// Trunkline does not deliver it. The transcript keeps it. The sender receives a failed receipt if its
    /// platform has receipts.
    Refused,
    /// Trunkline does not deliver it, because it is a statement about a delivery. The transcript keeps it.
    Recorded,
}

impl Arrival {
    pub fn cell(self) -> String {
        match self {
            Self::Native => "native".to_owned(),
            Self::Degraded(how) => how.to_owned(),
            Self::Refused => "refused with notice".to_owned(),
            Self::Recorded => "recorded".to_owned(),
        }
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "Markdown",
            Self::Html => "HTML",
            Self::Choices => "choices",
            Self::Selection => "a selected choice",
            Self::File => "a file",
            Self::Files => "several files",
            Self::PrivateFile => "a file that needs a login",
            Self::Cards => "cards",
            Self::Location => "a location",
            Self::Contact => "a contact",
            Self::Reply => "a reply to a message",
            Self::Edit => "an edit",
            Self::Deletion => "a deletion",
            Self::Reaction => "a reaction",
            Self::ReadReceipt => "a read receipt",
        }
    }

    /// What a person, or the platform's program, must be able to find in what arrives.
    pub fn tokens(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["Where is parcel 42?"],
            Self::Markdown => &["Bold", "https://shop.example/a"],
            Self::Html => &["Heavy", "https://shop.example/b"],
            Self::Choices => &["Which colour?", "Red", "Blue"],
            Self::Selection => &["Red"],
            Self::File => &["receipt.pdf"],
            Self::Files => &["one.png", "two.png"],
            // Trunkline's own link, which needs no login.
            Self::PrivateFile => &["offer.pdf", "/files/", "signature="],
            Self::Cards => {
                &["Shoe", "Comfortable", "shoe.png", "Boot", "https://shop.example/boot"]
            }
            Self::Location => &["52.37", "4.9"],
            Self::Contact => &["Ada Lovelace", "+31612345678"],
            Self::Reply => &["As I said"],
            Self::Edit => &["Corrected words"],
            Self::Deletion | Self::ReadReceipt => &[],
            Self::Reaction => &["👍"],
        }
    }

    /// How the kind arrives at a party: the table of rules.
    pub fn arrival(self, can: Capabilities, role: Role) -> Arrival {
        let unless =
            |native: bool, how| if native { Arrival::Native } else { Arrival::Degraded(how) };
        match self {
            Self::Text => Arrival::Native,
            // Unblu shows Markdown, but no HTML.
            Self::Html => unless(can.markup && can.cards, "plain text"),
            Self::Markdown => unless(can.markup, "plain text"),
            Self::Choices => unless(can.choices, "numbered lines"),
            Self::Selection => unless(can.choices, "the title as text"),
            Self::File | Self::Files => unless(can.media, "name and link"),
            Self::PrivateFile => unless(can.media, "name and link of Trunkline"),
            Self::Cards => unless(can.cards, "texts, pictures and numbered lines"),
            Self::Location => unless(can.locations, "name and link to a map"),
            Self::Contact => unless(can.contacts, "lines of text"),
            Self::Reply => unless(can.replies, "quote and text"),
            Self::Edit if role == Role::Bot => unless(can.changes, "the new text"),
            Self::Edit => unless(can.changes, "quote and the text `edited`"),
            Self::Deletion if role == Role::Bot && !can.changes => Arrival::Refused,
            Self::Deletion => unless(can.changes, "quote and the text `deleted`"),
            Self::Reaction if role == Role::Bot => unless(can.changes, "the emoji"),
            Self::Reaction => unless(can.changes, "quote and the emoji"),
            Self::ReadReceipt if can.receipts => Arrival::Native,
            Self::ReadReceipt => Arrival::Recorded,
        }
    }
}
