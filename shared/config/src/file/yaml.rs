//! YAML nodes with their lines, and accessors that report problems.

use std::ops::RangeInclusive;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::problems::{ConfigProblem, ConfigProblems, suggestion};

/// A YAML node with its line.
#[derive(Debug, Clone)]
pub(super) struct Node<'a>(MarkedYaml<'a>);

/// The members of a mapping whose keys have been checked.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(String, usize, Node<'a>)>);

impl<'a> Node<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Option<Self>, ConfigProblem> {
        let mut documents = MarkedYaml::load_from_str(text).map_err(|error| ConfigProblem {
            line: error.marker().line(),
            message: format!("not YAML: {}", error.info()),
        })?;
        if documents.len() > 1 {
            let message = "the file has more than one YAML document: remove the '---' and put everything under one root";
            return Err(ConfigProblem {
                line: documents[1].span.start.line(),
                message: message.into(),
            });
        }
        let root = documents.pop().filter(|root| !is_null(root));
        Ok(root.map(Self))
    }

    pub(super) fn line(&self) -> usize {
        self.0.span.start.line()
    }

    /// Returns the members of a mapping in the order of the file.
    pub(super) fn entries(
        &self,
        problems: &mut ConfigProblems,
        what: &str,
    ) -> Vec<(String, usize, Node<'a>)> {
        let YamlData::Mapping(mapping) = &self.0.data else {
            if !is_null(&self.0) {
                problems.add(self.line(), format!("{what} must be a mapping: 'name: value' lines"));
            }
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(mapping.len());
        for (key, value) in mapping {
            let line = key.span.start.line();
            match scalar_text(key) {
                Some(name) => entries.push((name, line, Node(value.clone()))),
                None => problems.add(line, format!("a name in {what} must be a plain word")),
            }
        }
        entries
    }

    /// Returns the members of a mapping. Their names must be among `known`.
    pub(super) fn members(
        &self,
        problems: &mut ConfigProblems,
        what: &str,
        known: &[&str],
    ) -> Members<'a> {
        let mut entries = self.entries(problems, what);
        entries.retain(|(name, line, _)| {
            let is_known = known.contains(&name.as_str());
            if !is_known {
                let near = suggestion(name, known);
                let known = known.join(", ");
                problems.add(*line, format!("{what} has no '{name}'{near}: use {known}"));
            }
            is_known
        });
        Members(entries)
    }

    /// Returns the members of a mapping that has been read before, so its problems are known.
    pub(super) fn read_members(&self) -> Members<'a> {
        Members(self.entries(&mut ConfigProblems::default(), ""))
    }

    /// Returns the items of a sequence that has been read before.
    pub(super) fn read_items(&self) -> Vec<Node<'a>> {
        self.items(&mut ConfigProblems::default(), "")
    }

    /// Returns the items of a sequence.
    pub(super) fn items(&self, problems: &mut ConfigProblems, what: &str) -> Vec<Node<'a>> {
        match &self.0.data {
            YamlData::Sequence(items) => items.iter().cloned().map(Node).collect(),
            _ if is_null(&self.0) => Vec::new(),
            _ => {
                problems
                    .add(self.line(), format!("{what} must be a list: '- item' lines or [a, b]"));
                Vec::new()
            }
        }
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.0.data, YamlData::Mapping(_))
    }

    pub(super) fn is_sequence(&self) -> bool {
        matches!(self.0.data, YamlData::Sequence(_))
    }

    /// Returns a text. Numbers and booleans must be quoted, so that none loses a leading zero or becomes `true`.
    pub(super) fn text(&self, problems: &mut ConfigProblems, what: &str) -> Option<String> {
        match &self.0.data {
            YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
            YamlData::Value(scalar) if !matches!(scalar, Scalar::Null) => {
                problems.add(self.line(), format!("{what} must be a text: put quotes around it"));
                None
            }
            _ => {
                problems.add(self.line(), format!("{what} must be a text"));
                None
            }
        }
    }

    pub(super) fn boolean(&self, problems: &mut ConfigProblems, what: &str) -> Option<bool> {
        let YamlData::Value(Scalar::Boolean(truth)) = &self.0.data else {
            problems.add(self.line(), format!("{what} must be true or false"));
            return None;
        };
        Some(*truth)
    }

    /// Returns a whole number within bounds.
    pub(super) fn number(
        &self,
        problems: &mut ConfigProblems,
        what: &str,
        bounds: RangeInclusive<u32>,
    ) -> Option<u32> {
        let number = match &self.0.data {
            YamlData::Value(Scalar::Integer(number)) => u32::try_from(*number).ok(),
            _ => None,
        };
        self.within(number, problems, what, bounds)
    }

    /// Returns a whole number within bounds, which may have quotes.
    pub(super) fn number_or_text(
        &self,
        problems: &mut ConfigProblems,
        what: &str,
        bounds: RangeInclusive<u32>,
    ) -> Option<u32> {
        match &self.0.data {
            YamlData::Value(Scalar::String(text)) => {
                self.within(text.trim().parse().ok(), problems, what, bounds)
            }
            _ => self.number(problems, what, bounds),
        }
    }

    fn within(
        &self,
        number: Option<u32>,
        problems: &mut ConfigProblems,
        what: &str,
        bounds: RangeInclusive<u32>,
    ) -> Option<u32> {
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let (min, max) = bounds.into_inner();
            problems.add(self.line(), format!("{what} must be a whole number from {min} to {max}"));
        }
        number
    }

    /// Returns one of the `known` words.
    pub(super) fn one_of(
        &self,
        problems: &mut ConfigProblems,
        what: &str,
        known: &[&str],
    ) -> Option<String> {
        let text = self.text(problems, what)?;
        if known.contains(&text.as_str()) {
            return Some(text);
        }
        let near = suggestion(&text, known);
        let message = format!("{what} cannot be '{text}'{near}: use {}", known.join(", "));
        problems.add(self.line(), message);
        None
    }

    /// Returns the value whose name is the text.
    pub(super) fn variant<T: Copy>(
        &self,
        problems: &mut ConfigProblems,
        what: &str,
        names: &[(&str, T)],
    ) -> Option<T> {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let word = self.one_of(problems, what, &known)?;
        names.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
    }
}

impl<'a> Members<'a> {
    /// Returns a boolean, which is false if it is absent.
    pub(super) fn boolean(&self, name: &str, problems: &mut ConfigProblems) -> bool {
        self.get(name).and_then(|node| node.boolean(problems, name)).unwrap_or_default()
    }

    /// Returns a whole number within bounds; `None` if it is absent.
    pub(super) fn number(
        &self,
        name: &str,
        bounds: RangeInclusive<u32>,
        problems: &mut ConfigProblems,
    ) -> Option<u32> {
        self.get(name).and_then(|node| node.number(problems, name, bounds))
    }

    /// Returns the values of a list of names, which is empty if it is absent.
    pub(super) fn variants<T: Copy>(
        &self,
        name: &str,
        names: &[(&str, T)],
        problems: &mut ConfigProblems,
    ) -> Vec<T> {
        let items = self.get(name).map_or_else(Vec::new, |node| node.items(problems, name));
        let what = format!("a value of {name}");
        items.iter().filter_map(|item| item.variant(problems, &what, names)).collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Node<'a>> {
        self.0.iter().find(|(known, ..)| known == name).map(|(.., node)| node)
    }

    /// Returns all members in the order of the file, each with its name and line.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize, &Node<'a>)> {
        self.0.iter().map(|(name, line, node)| (name.as_str(), *line, node))
    }

    /// Returns the line of a member's name.
    pub(super) fn line(&self, name: &str) -> Option<usize> {
        self.iter().find(|(known, ..)| *known == name).map(|(_, line, _)| line)
    }

    pub(super) fn required(
        &self,
        name: &str,
        line: usize,
        problems: &mut ConfigProblems,
    ) -> Option<&Node<'a>> {
        let found = self.get(name);
        if found.is_none() {
            problems.add(line, format!("'{name}' is missing: add it"));
        }
        found
    }
}

fn is_null(node: &MarkedYaml<'_>) -> bool {
    matches!(node.data, YamlData::Value(Scalar::Null))
}

fn scalar_text(node: &MarkedYaml<'_>) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        YamlData::Value(Scalar::Boolean(truth)) => Some(truth.to_string()),
        _ => None,
    }
}
