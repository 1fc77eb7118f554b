//! An element, whichever way it was written.

/// An element of a markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its attributes; all are texts.
    pub attributes: Vec<(String, String)>,
    /// The text directly in it.
    pub content: String,
    /// The elements in it.
    pub children: Vec<Node>,
}

impl Node {
    /// An element with attributes only.
    #[must_use]
    pub fn with(name: &str, attributes: &[(&str, &str)]) -> Self {
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            name: name.to_owned(),
            attributes: attributes.iter().map(text).collect(),
            ..Self::default()
        }
    }

    /// An attribute, unless it is blank.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The text directly in it, unless it is blank.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        Some(self.content.trim()).filter(|text| !text.is_empty())
    }

    /// How deep the elements in it are nested, itself included.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + self.children.iter().map(Self::depth).max().unwrap_or(0)
    }
}
