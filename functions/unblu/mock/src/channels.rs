//! Channels and webhook registrations by the web API: finding them by name or endpoint, creating and updating them.
//!
//! Rules by the descriptions of Unblu's OpenAPI document (`CustomExternalMessengerChannel`, `WebhookRegistration`): a
//! channel's name is unique, an update needs the account and the newest version. Our assumptions: the name of a webhook
//! registration is unique as well, because it can be looked up by name; a name that does not exist is 404, as the
//! vendor's own library expects.

use serde_json::{Value, json};

use super::state::ServerState;
use super::validation::{self, Rejection, reject, text};
use super::{ACCOUNT, CHANNEL, Unblu};

/// The webhook registrations, and whether the channel exists.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    webhooks: Vec<Value>,
    is_without_channel: bool,
}

impl Unblu {
    /// Removes the channel, so that it has to be created.
    pub fn remove_channel(&self) {
        self.state().registrations.is_without_channel = true;
    }

    /// Changes the channel, as a person can in the user interface.
    pub fn change_channel(&self, change: &Value) {
        let mut state = self.state();
        for (name, value) in change.as_object().unwrap() {
            state.channel[name] = value.clone();
        }
        state.touch_channel();
    }

    /// Adds a webhook registration, as a person can in the user interface.
    pub fn add_webhook(&self, webhook: &Value) {
        let mut webhook = webhook.clone();
        let mut state = self.state();
        webhook["id"] = state.new_id("wEbHoOk").into();
        webhook["accountId"] = ACCOUNT.into();
        webhook["version"] = 1.into();
        state.registrations.webhooks.push(webhook);
    }

    /// Switches all webhook registrations off, as Unblu does when an endpoint keeps failing.
    pub fn set_webhooks_unavailable(&self) {
        for webhook in &mut self.state().registrations.webhooks {
            webhook["status"] = "INACTIVE_UNAVAILABLE".into();
        }
    }

    /// Returns the webhook registrations.
    pub fn webhooks(&self) -> Vec<Value> {
        self.state().registrations.webhooks.clone()
    }
}

pub(super) fn channel_by_name(state: &ServerState, name: &str) -> Result<Value, Rejection> {
    if state.registrations.is_without_channel || state.channel["name"] != name {
        return reject(404, "There is no channel with this name");
    }
    Ok(state.channel.clone())
}

pub(super) fn create_channel(state: &mut ServerState, body: Value) -> Result<Value, Rejection> {
    validation::one_of(&body, "type", &["CUSTOM"])?;
    let name = text(&body, "name")?;
    text(&body, "webhookEndpoint")?;
    if channel_by_name(state, name).is_ok() {
        return reject(400, "There already is a channel with this name");
    }
    state.channel = body;
    for (member, value) in [("id", CHANNEL), ("accountId", ACCOUNT)] {
        state.channel[member] = value.into();
    }
    state.channel["version"] = 1.into();
    state.registrations.is_without_channel = false;
    Ok(state.channel.clone())
}

pub(super) fn webhook_by_name(state: &ServerState, name: &str) -> Result<Value, Rejection> {
    let mut all = state.registrations.webhooks.iter();
    match all.find(|webhook| webhook["name"] == name) {
        Some(found) => Ok(found.clone()),
        None => reject(404, "There is no webhook registration with this name"),
    }
}

pub(super) fn search_webhooks(state: &ServerState, body: &Value) -> Result<Value, Rejection> {
    let mut endpoints = Vec::new();
    for filter in body["searchFilters"].as_array().into_iter().flatten() {
        validation::one_of(filter, "field", &["ENDPOINT"])?;
        validation::one_of(&filter["operator"], "type", &["EQUALS"])?;
        endpoints.push(text(&filter["operator"], "value")?);
    }
    let fits = |webhook: &&Value| endpoints.iter().all(|endpoint| webhook["endpoint"] == *endpoint);
    let items: Vec<&Value> = state.registrations.webhooks.iter().filter(fits).collect();
    Ok(json!({"$_type": "WebhookRegistrationResult", "hasMoreItems": false, "nextOffset": 0,
              "items": items}))
}

pub(super) fn create_webhook(state: &mut ServerState, body: Value) -> Result<Value, Rejection> {
    checked_webhook(&body)?;
    if webhook_by_name(state, text(&body, "name")?).is_ok() {
        return reject(400, "There already is a webhook registration with this name");
    }
    let mut webhook = body;
    webhook["id"] = state.new_id("wEbHoOk").into();
    webhook["accountId"] = ACCOUNT.into();
    webhook["version"] = 1.into();
    state.registrations.webhooks.push(webhook.clone());
    Ok(webhook)
}

pub(super) fn update_webhook(state: &mut ServerState, body: Value) -> Result<Value, Rejection> {
    checked_webhook(&body)?;
    text(&body, "accountId")?;
    let mut all = state.registrations.webhooks.iter_mut();
    let Some(found) = all.find(|webhook| webhook["id"] == body["id"]) else {
        return reject(404, "There is no such webhook registration");
    };
    if found["version"] != body["version"] {
        return reject(409, "The version is outdated");
    }
    let version = found["version"].as_u64().unwrap() + 1;
    *found = body;
    found["version"] = version.into();
    Ok(found.clone())
}

fn checked_webhook(body: &Value) -> Result<(), Rejection> {
    if text(body, "name")?.chars().count() > 250 {
        return reject(400, "name has at most 250 characters");
    }
    if body["events"].as_array().is_none_or(Vec::is_empty) {
        return reject(400, "the member events is missing");
    }
    Ok(())
}
