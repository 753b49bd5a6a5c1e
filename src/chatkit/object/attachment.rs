//! Files that visitors attach, as the protocol writes them: never their hash, size or owner.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::attachment::{Attachment, AttachmentKind};

/// An attachment.
#[derive(Debug, Clone, Serialize)]
pub struct AttachmentObject<'a> {
    id: &'a str,
    name: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_descriptor: Option<UploadDescriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<&'a str>,
    r#type: AttachmentKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview_url: Option<String>,
}

/// How the bytes of an announced attachment are to be sent.
#[derive(Debug, Clone, Serialize)]
pub struct UploadDescriptor {
    /// Where to.
    pub url: String,
    /// `PUT` or `POST`.
    pub method: &'static str,
    /// With which headers.
    pub headers: BTreeMap<String, String>,
}

impl<'a> From<&'a Attachment> for AttachmentObject<'a> {
    fn from(attachment: &'a Attachment) -> Self {
        let is_picture = attachment.kind == AttachmentKind::Image;
        Self {
            id: &attachment.id,
            name: &attachment.name,
            mime_type: &attachment.mime_type,
            upload_descriptor: None,
            thread_id: attachment.thread_id.as_deref(),
            r#type: attachment.kind,
            preview_url: is_picture.then(|| format!("/knowledge/attachments/{}/file", attachment.id)),
        }
    }
}

impl AttachmentObject<'_> {
    /// The same with a word on how to send the bytes.
    #[must_use]
    pub fn with_upload(mut self, descriptor: UploadDescriptor) -> Self {
        self.upload_descriptor = Some(descriptor);
        self
    }
}
