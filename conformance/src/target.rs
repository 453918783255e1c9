//! What is judged: a node that runs already, a program that the kit starts, one behind an adapter, or the embedded
//! reference.

use std::net::SocketAddr;
use std::path::PathBuf;

/// The node that a suite judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The reference node of this crate, sound or broken by name.
    Embedded {
        /// The seeded violation, by name.
        bug: Option<String>,
    },
    /// A node that runs already.
    Address(SocketAddr),
    /// A command line that starts a node; its placeholders are the suite's.
    Command(String),
    /// The file of an adapter, which says how a node is started and driven (docs/adapters.md).
    Adapter(PathBuf),
}

impl Target {
    /// How reports name it.
    pub fn name(&self) -> String {
        match self {
            Self::Embedded { bug: None } => "reference".to_owned(),
            Self::Embedded { bug: Some(bug) } => format!("reference --break {bug}"),
            Self::Address(address) => address.to_string(),
            Self::Command(line) => line.clone(),
            Self::Adapter(file) => format!("adapter {}", file.display()),
        }
    }
}
