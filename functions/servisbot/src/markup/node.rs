//! An element of a markup, independent of its representation.

/// An element of a markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The element's name.
    pub name: String,
    /// The attributes, in order; all values are strings.
    pub attributes: Vec<(String, String)>,
    /// The text directly in the element.
    pub content: String,
    /// The child elements.
    pub children: Vec<Node>,
}

impl Node {
    /// Creates an element with attributes only.
    #[must_use]
    pub fn with(name: &str, attributes: &[(&str, &str)]) -> Self {
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            name: name.to_owned(),
            attributes: attributes.iter().map(text).collect(),
            ..Self::default()
        }
    }

    /// Returns an attribute, unless it is blank.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the text directly in the element, unless it is blank. A stray `>` behind the tag of a child is no
    /// text (KK).
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let is_stray = |c: char| c.is_whitespace() || c == '>' && !self.children.is_empty();
        Some(self.content.trim_matches(is_stray)).filter(|text| !text.is_empty())
    }

    /// Returns the nesting depth, including the element itself.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + self.children.iter().map(Self::depth).max().unwrap_or(0)
    }

    /// Returns the number of elements, including the element itself.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + self.children.iter().map(Self::size).sum::<usize>()
    }
}
