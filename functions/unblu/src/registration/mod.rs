//! Checks, repairs and fixes what Unblu stores about a connection: the channel, and the webhook registration
//! that reports ended conversations. Unblu switches off an endpoint that keeps failing and does not switch it on
//! again by itself (UM).

mod stored;
mod wanted;

use trunkline_runtime::http_client::{HttpClient, HttpError, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{EncodeError, RegistrationState};

use crate::CheckContext;
use crate::api::{Api, problem};
use crate::settings::WEBHOOK_SECRET;
use crate::wire::Object;
use stored::{Found, Stored};
use wanted::{Difference, Kind, Status, Wanted, corrected, status};

/// How many times an update is tried if others change the object at the same time.
const MAX_ATTEMPTS: usize = 3;

/// Why an object at Unblu could not be checked or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum RegistrationError {
    /// The connection's settings or secrets are incomplete.
    #[error(transparent)]
    Misconfigured(#[from] EncodeError),
    /// Unblu did not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Unblu refused the request.
    #[error("{0}")]
    Refused(String),
    /// The response is not what was asked for.
    #[error("Unblu's response contains no {0}: check base_url, api_version and channel_id")]
    Unreadable(Kind),
    /// Others changed the object before each update.
    #[error("the {0} was changed by others during each attempt: try again later")]
    Contended(Kind),
    /// The channel is of a kind that no middleware can serve.
    #[error(
        "the channel's type is not CUSTOM: create another one with `trunkline check --fix`, without channel_id"
    )]
    NotCustom,
    /// The name belongs to an object that somebody else made.
    #[error(
        "Unblu has another {kind} named '{name}'{details}: set channel_name to another name{hint}"
    )]
    NameTaken { kind: Kind, name: String, details: String, hint: String },
    /// Neither the stack nor the settings say which address Unblu calls.
    #[error(
        "the stack does not know its own URL: set webhook_endpoint to the connection's inbound URL"
    )]
    NoEndpoint,
}

/// Which differences are corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Only what Unblu itself switched off.
    Reactivate,
    /// Everything. A missing object is created.
    All,
}

/// An object as it is at the end, and what was done.
struct Settled {
    /// `None`: it does not exist.
    object: Option<Stored>,
    changes: Vec<String>,
}

/// The calls about a connection's objects at Unblu.
struct Registry<'a> {
    api: Api<'a>,
    wanted: Wanted<'a>,
    http_client: &'a HttpClient,
}

/// Repairs what Unblu switched off, and reports differences from the settings.
pub(crate) async fn reconcile(
    context: &CheckContext<'_>,
    http_client: &HttpClient,
) -> RegistrationState {
    let reconciled = match Registry::of(context, http_client) {
        Ok(registry) => registry.reconcile().await,
        Err(why) => Err(why),
    };
    reconciled.unwrap_or_else(|why| RegistrationState::OutOfSync(why.to_string()))
}

/// Creates the channel and the webhook registration, or updates them to what the connection needs.
pub(crate) async fn fix(context: &CheckContext<'_>, http_client: &HttpClient) -> RegistrationState {
    let registry = match Registry::of(context, http_client) {
        Ok(registry) => registry,
        Err(why) => return RegistrationState::OutOfSync(why.to_string()),
    };
    let mut done = Vec::new();
    for kind in [Kind::Channel, Kind::Webhook] {
        match registry.settle(kind, Scope::All).await {
            Ok(settled) => done.extend(settled.changes),
            Err(why) => {
                let before = done.iter().map(|change| format!("; {change}"));
                return RegistrationState::OutOfSync(format!(
                    "{why}{}",
                    before.collect::<String>()
                ));
            }
        }
    }
    if done.is_empty() {
        RegistrationState::InSync
    } else {
        RegistrationState::Repaired(done.join("; "))
    }
}

impl<'a> Registry<'a> {
    fn of(
        context: &CheckContext<'a>,
        http_client: &'a HttpClient,
    ) -> Result<Self, RegistrationError> {
        let CheckContext { connection, settings, secrets, address, .. } = *context;
        let api = Api::without_channel(settings, secrets)?;
        let wanted = Wanted {
            settings,
            connection: &connection.id,
            endpoint: settings.webhook_endpoint.as_deref().or(address),
            secrets: secrets.live(WEBHOOK_SECRET),
        };
        Ok(Self { api, wanted, http_client })
    }

    async fn reconcile(&self) -> Result<RegistrationState, RegistrationError> {
        let fix = format!("`trunkline check --fix {}`", self.wanted.connection);
        let (mut changes, mut problems, mut channel_id) = (Vec::new(), Vec::new(), None);
        for kind in [Kind::Channel, Kind::Webhook] {
            // Without an endpoint, a webhook registration cannot be told from others.
            if kind == Kind::Webhook && self.wanted.endpoint.is_none() {
                continue;
            }
            let settled = self.settle(kind, Scope::Reactivate).await?;
            changes.extend(settled.changes);
            match settled.object {
                Some(stored) => {
                    problems.extend(self.problems(kind, stored.object()));
                    if kind == Kind::Channel {
                        channel_id = stored.object().text("id").map(ToOwned::to_owned);
                    }
                }
                None => problems.push(self.missing(kind)),
            }
        }
        if !problems.is_empty() {
            let problems = [changes, problems].concat().join("; ");
            return Ok(RegistrationState::OutOfSync(format!("{problems}: {fix} corrects this")));
        }
        if self.wanted.settings.channel_id.is_empty() {
            let id = channel_id.unwrap_or_default();
            let why = format!("set channel_id to {id}, the channel that Trunkline created");
            return Ok(RegistrationState::OutOfSync(why));
        }
        Ok(if changes.is_empty() {
            RegistrationState::InSync
        } else {
            RegistrationState::Repaired(changes.join("; "))
        })
    }

    /// Returns an object's differences as texts.
    fn problems(&self, kind: Kind, object: Object<'_>) -> Vec<String> {
        let mut problems: Vec<String> = self
            .wanted
            .differences(kind, object)
            .iter()
            .map(|difference| difference.problem(kind))
            .collect();
        if status(kind, object) == Status::SwitchedOff {
            problems.insert(0, format!("a person switched the {kind} off in Unblu"));
        }
        problems
    }

    fn missing(&self, kind: Kind) -> String {
        let name = self.wanted.name();
        match kind {
            Kind::Channel => {
                format!("the setting channel_id is missing, and there is no channel '{name}'")
            }
            Kind::Webhook => {
                "Unblu does not report ended conversations: there is no webhook registration".into()
            }
        }
    }

    /// Corrects an object. An update must carry the object's current version, so it is read before each attempt.
    async fn settle(&self, kind: Kind, scope: Scope) -> Result<Settled, RegistrationError> {
        for _ in 0..MAX_ATTEMPTS {
            let found = self.find(kind).await?;
            let Some(stored) = found else {
                if scope == Scope::Reactivate {
                    return Ok(Settled { object: None, changes: Vec::new() });
                }
                return self.create(kind).await;
            };
            let differences = self.differences_in(scope, kind, stored.object());
            if differences.is_empty() {
                return Ok(Settled { object: Some(stored), changes: Vec::new() });
            }
            let body = corrected(&stored.0, &differences);
            let answer = self.call(self.api.post(&[kind.path(), "update"], Some(&body))).await?;
            if answer.status.is_success() {
                let changes =
                    differences.iter().map(|difference| difference.correction(kind)).collect();
                return Ok(Settled { object: Some(stored.or_updated(&answer, body)), changes });
            }
            // Refused because of an outdated version, or for another reason?
            let now = self.find(kind).await?;
            if now.is_some_and(|now| now.version() == stored.version()) {
                return Err(RegistrationError::Refused(problem(&answer)));
            }
        }
        Err(RegistrationError::Contended(kind))
    }

    fn differences_in(&self, scope: Scope, kind: Kind, object: Object<'_>) -> Vec<Difference> {
        let is_off = Wanted::status_difference(kind, object);
        match scope {
            Scope::Reactivate => {
                is_off.filter(|_| status(kind, object) != Status::SwitchedOff).into_iter().collect()
            }
            Scope::All => is_off.into_iter().chain(self.wanted.differences(kind, object)).collect(),
        }
    }

    async fn create(&self, kind: Kind) -> Result<Settled, RegistrationError> {
        let body = self.wanted.created(kind).ok_or(RegistrationError::NoEndpoint)?;
        let answer = self.call(self.api.post(&[kind.path(), "create"], Some(&body))).await?;
        let stored = Stored::read(kind, &answer)?;
        let id = stored.object().text("id").unwrap_or_default();
        let change = format!("created the {kind} '{}' with the id {id}", self.wanted.name());
        Ok(Settled { object: Some(stored), changes: vec![change] })
    }

    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, RegistrationError> {
        Ok(self.http_client.send(request).await?)
    }

    /// Finds an object: a channel by its id, a webhook registration by its endpoint, and otherwise by the name.
    async fn find(&self, kind: Kind) -> Result<Option<Stored>, RegistrationError> {
        if kind == Kind::Channel && !self.wanted.settings.channel_id.is_empty() {
            let answer = self.call(stored::read_channel(&self.api)).await?;
            return Stored::read(kind, &answer).map(Some);
        }
        if let (Kind::Webhook, Some(endpoint)) = (kind, self.wanted.endpoint) {
            let answer = self.call(stored::search_webhooks(&self.api, endpoint)).await?;
            if let Some(found) = stored::found_webhook(&answer)? {
                return Ok(Some(found));
            }
        }
        let name = self.wanted.name();
        let answer = self.call(stored::by_name(&self.api, kind, &name)).await?;
        match Found::read(kind, &answer)? {
            Found::Nothing => Ok(None),
            Found::Object(found) if found.belongs_to(kind, &self.wanted) => Ok(Some(found)),
            Found::Object(found) => Err(found.name_taken(kind, name)),
        }
    }
}
