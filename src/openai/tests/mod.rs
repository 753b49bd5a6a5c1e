//! Tests against services that behave, misbehave and do not answer.

mod calls;
mod faults;
mod uploads;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use openai_stand_in::{Rules, StandIn};

use crate::config::settings::OpenAiSettings;
use crate::openai::file::{Body, File, Upload};
use crate::openai::vector_store::{StoreChange, VectorStore};
use crate::openai::{Client, Patience};
use crate::secret::Secret;

/// As little of it as a test can do with.
fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(2),
        head: Duration::from_secs(2),
        idle: Duration::from_secs(2),
        whole: Duration::from_secs(30),
        max_wait: Duration::from_secs(3),
        attempts: 3,
        first_delay: Duration::from_millis(5),
        max_delay: Duration::from_millis(20),
    }
}

fn settings(service: &StandIn) -> OpenAiSettings {
    OpenAiSettings {
        base_url: service.base_url(),
        api_key: Some(Secret::new(service.key())),
        admin_key: Some(Secret::new(service.admin_key())),
        ..Default::default()
    }
}

async fn service_and_client() -> (StandIn, Client) {
    service_and_client_with(Rules::default(), patience()).await
}

async fn service_and_client_with(rules: Rules, patience: Patience) -> (StandIn, Client) {
    let service = StandIn::start_with(rules).await;
    let client = Client::with_patience(&settings(&service), patience).unwrap();
    (service, client)
}

fn upload(filename: &str, content: &str) -> Upload {
    let body = Body::Bytes(content.to_owned().into());
    Upload { filename: filename.to_owned(), mime_type: "text/plain", body }
}

async fn store_and_file(client: &Client) -> (VectorStore, File) {
    let metadata = Some(BTreeMap::from([("made_by".to_owned(), "a test".to_owned())]));
    let change = StoreChange { name: Some("Help".to_owned()), metadata, ..Default::default() };
    let store = client.create_store(&change).await.unwrap();
    let file = client.upload(&upload("a.txt", "Orders can be returned within thirty days.")).await.unwrap();
    (store, file)
}
