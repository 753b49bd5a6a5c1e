//! Refuses pages whose drawings contain themselves: the engine would follow them until its stack ends, which nothing
//! can catch.

use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};

/// Real pages nest a handful of drawings.
const MAX_DEPTH: usize = 24;
/// Drawings inside drawings that are used many times multiply.
const MAX_VISITS: usize = 20_000;

/// Whether the engine can follow the drawings of a page to their end.
pub fn are_finite(document: &Document, page: ObjectId) -> bool {
    let Some(resources) = page_resources(document, page) else {
        return true;
    };
    let mut visits = 0;
    let mut pending = vec![(resources, 0)];
    while let Some((resources, depth)) = pending.pop() {
        for stream in drawings(document, resources) {
            visits += 1;
            if depth >= MAX_DEPTH || visits > MAX_VISITS {
                return false;
            }
            let own = dictionary(document, &stream.dict, b"Resources");
            // Without resources of its own, a drawing uses those around it, itself among them.
            if own.is_some() || draws(stream) {
                pending.push((own.unwrap_or(resources), depth + 1));
            }
        }
    }
    true
}

fn page_resources(document: &Document, page: ObjectId) -> Option<&Dictionary> {
    let mut node = document.get_dictionary(page).ok()?;
    for _ in 0..MAX_DEPTH {
        if let Some(resources) = dictionary(document, node, b"Resources") {
            return Some(resources);
        }
        node = dictionary(document, node, b"Parent")?;
    }
    None
}

fn drawings<'a>(document: &'a Document, resources: &'a Dictionary) -> impl Iterator<Item = &'a Stream> {
    let objects = dictionary(document, resources, b"XObject");
    let streams = objects.into_iter().flat_map(|objects| objects.iter()).filter_map(|(_, object)| {
        let (_, object) = document.dereference(object).ok()?;
        object.as_stream().ok()
    });
    streams.filter(|stream| stream.dict.get(b"Subtype").and_then(Object::as_name).ok() != Some(b"Image".as_slice()))
}

fn draws(stream: &Stream) -> bool {
    let content = stream.get_plain_content().unwrap_or_else(|_| stream.content.clone());
    content.windows(2).any(|window| window == b"Do")
}

fn dictionary<'a>(document: &'a Document, holder: &'a Dictionary, key: &[u8]) -> Option<&'a Dictionary> {
    document.dereference(holder.get(key).ok()?).ok()?.1.as_dict().ok()
}
