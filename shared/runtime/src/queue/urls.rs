//! The URLs of a stack's queues, derived from the URL of its tasks queue.

use std::str::FromStr;

use trunkline_core::model::PlatformId;

/// The end of the tasks queue's name. All queue names of a stack have the same beginning.
const TASKS: &str = "tasks";

/// The URL is not the URL of a tasks queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the URL of a tasks queue: its name must end with '{TASKS}'")]
pub struct InvalidTasksQueue(String);

/// The URLs of a stack's queues, which follow from the URL of its tasks queue
/// (`TRUNKLINE_TASKS_QUEUE`): the template names the queues `<stack>-tasks`,
/// `<stack>-<platform>-outbound.fifo`, `<stack>-<platform>-dead.fifo` and `<stack>-<platform>-listen`.
/// A URL does not imply that the queue exists: a stack has only the queues of its platforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls {
    /// Everything before the part of a name that differs.
    prefix: String,
    tasks: String,
}

impl QueueUrls {
    /// Returns the URL of the delayed queue of scheduled tasks.
    #[must_use]
    pub fn tasks(&self) -> &str {
        &self.tasks
    }

    /// Returns the URL of a platform's outbound FIFO queue.
    #[must_use]
    pub fn outbound(&self, platform: PlatformId) -> String {
        format!("{}{platform}-outbound.fifo", self.prefix)
    }

    /// Returns the URL of a platform's dead-letter queue.
    #[must_use]
    pub fn dead(&self, platform: PlatformId) -> String {
        format!("{}{platform}-dead.fifo", self.prefix)
    }

    /// Returns the URL of the queue that starts a platform's listener.
    #[must_use]
    pub fn listen(&self, platform: PlatformId) -> String {
        format!("{}{platform}-listen", self.prefix)
    }

    /// Replaces the tasks queue by another; the other queues stay.
    #[must_use]
    pub fn with_tasks(self, url: String) -> Self {
        Self { tasks: url, ..self }
    }
}

impl FromStr for QueueUrls {
    type Err = InvalidTasksQueue;
    fn from_str(url: &str) -> Result<Self, InvalidTasksQueue> {
        let prefix = url.strip_suffix(TASKS).filter(|prefix| prefix.contains("://"));
        let prefix = prefix.ok_or_else(|| InvalidTasksQueue(url.to_owned()))?;
        Ok(Self { prefix: prefix.to_owned(), tasks: url.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_follow_from_the_tasks_queue() {
        for start in [
            "https://sqs.eu-central-1.amazonaws.com/123456789012/my-tasks",
            "http://127.0.0.1:4600/000000000000/trunkline",
        ] {
            let urls: QueueUrls = format!("{start}-tasks").parse().unwrap();
            assert_eq!(urls.tasks(), format!("{start}-tasks"));
            assert_eq!(
                urls.outbound(PlatformId::from_static("fax")),
                format!("{start}-fax-outbound.fifo")
            );
            assert_eq!(
                urls.dead(PlatformId::from_static("pager")),
                format!("{start}-pager-dead.fifo")
            );
            assert_eq!(
                urls.listen(PlatformId::from_static("telex")),
                format!("{start}-telex-listen")
            );
        }
    }

    #[test]
    fn another_url_is_rejected() {
        for url in ["", "tasks", "https://sqs.x.amazonaws.com/1/trunkline-fax-outbound.fifo"] {
            assert_eq!(url.parse::<QueueUrls>(), Err(InvalidTasksQueue(url.to_owned())));
        }
    }
}
