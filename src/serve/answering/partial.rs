//! An open item as far as it was told: each update is applied to it as a client does, or refused.

use serde_json::{Map, Value};

use crate::model::item::ItemUpdate;
use crate::model::thread::ItemContent;

/// Applies an update; `false` when it does not fit the item, which then is as it was.
pub(super) fn apply(content: &mut ItemContent, update: &ItemUpdate) -> bool {
    match (content, update) {
        (ItemContent::Workflow { workflow }, ItemUpdate::TaskAdded { task_index, task }) => {
            let fits = *task_index == workflow.tasks.len();
            if fits {
                workflow.tasks.push(task.clone());
            }
            fits
        }
        (ItemContent::Workflow { workflow }, ItemUpdate::TaskUpdated { task_index, task }) => {
            workflow.tasks.get_mut(*task_index).map(|old| *old = task.clone()).is_some()
        }
        (ItemContent::Widget(widget), ItemUpdate::WidgetRoot { widget: root }) => {
            widget.widget = root.clone();
            true
        }
        (ItemContent::Widget(widget), ItemUpdate::WidgetComponent { component_id, component }) => {
            change_component(&mut widget.widget, component_id, &|old| *old = component.clone())
        }
        (ItemContent::Widget(widget), ItemUpdate::WidgetText { component_id, delta, .. }) => {
            change_component(&mut widget.widget, component_id, &|component| append(component, delta))
        }
        (ItemContent::GeneratedImage(picture), ItemUpdate::Image { image, .. }) => {
            picture.image = Some(image.clone());
            true
        }
        _ => false,
    }
}

/// Changes the first component of this id, in the order of the tree.
fn change_component(component: &mut Map<String, Value>, id: &str, change: &dyn Fn(&mut Map<String, Value>)) -> bool {
    if component.get("id").and_then(Value::as_str) == Some(id) {
        change(component);
        return true;
    }
    component.values_mut().any(|value| change_within(value, id, change))
}

fn change_within(value: &mut Value, id: &str, change: &dyn Fn(&mut Map<String, Value>)) -> bool {
    match value {
        Value::Object(component) => change_component(component, id, change),
        Value::Array(values) => values.iter_mut().any(|value| change_within(value, id, change)),
        _ => false,
    }
}

fn append(component: &mut Map<String, Value>, delta: &str) {
    match component.get_mut("value") {
        Some(Value::String(text)) => text.push_str(delta),
        _ => {
            component.insert("value".to_owned(), Value::String(delta.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::item::{GeneratedImage, Image, Task, TaskKind, TaskStatus, Widget, Workflow, WorkflowKind};

    #[test]
    fn steps_come_in_order_and_change_where_they_are() {
        let workflow = Workflow { r#type: WorkflowKind::Reasoning, tasks: Vec::new(), summary: None, expanded: false };
        let mut workflow = ItemContent::Workflow { workflow };
        assert!(!apply(&mut workflow, &ItemUpdate::TaskAdded { task_index: 1, task: thought("early") }));
        assert!(apply(&mut workflow, &ItemUpdate::TaskAdded { task_index: 0, task: thought("a") }));
        assert!(!apply(&mut workflow, &ItemUpdate::TaskUpdated { task_index: 1, task: thought("none") }));
        assert!(apply(&mut workflow, &ItemUpdate::TaskUpdated { task_index: 0, task: thought("b") }));
        let ItemContent::Workflow { workflow } = workflow else { panic!("it stays one") };
        assert_eq!(workflow.tasks, [thought("b")]);
    }

    #[test]
    fn widgets_change_by_component_text_and_root() {
        let root = json!({"type": "Card", "children": [{"type": "Row", "children": {"id": "t", "type": "Text"}}]});
        let Value::Object(root) = root else { panic!("an object") };
        let mut widget = ItemContent::Widget(Widget { widget: root.clone(), copy_text: None });
        let text = |id: &str| ItemUpdate::WidgetText { component_id: id.into(), delta: "ab".into(), done: false };
        assert!(apply(&mut widget, &text("t")) && apply(&mut widget, &text("t")));
        assert!(!apply(&mut widget, &text("unknown")));
        assert!(serde_json::to_string(&widget).unwrap().contains(r#""value":"abab""#));
        let component = ItemUpdate::WidgetComponent { component_id: "t".into(), component: Map::new() };
        assert!(apply(&mut widget, &component) && !apply(&mut widget, &component), "it has no id any more");
        assert!(apply(&mut widget, &ItemUpdate::WidgetRoot { widget: root }));
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let image = Image { id: "i".into(), url: "u".into() };
        let mut picture = ItemContent::GeneratedImage(GeneratedImage { image: None });
        assert!(!apply(&mut picture, &ItemUpdate::TaskAdded { task_index: 0, task: thought("a") }));
        assert!(apply(&mut picture, &ItemUpdate::Image { image: image.clone(), progress: None }));
        assert_eq!(picture, ItemContent::GeneratedImage(GeneratedImage { image: Some(image.clone()) }));
        let mut end = ItemContent::EndOfTurn {};
        assert!(!apply(&mut end, &ItemUpdate::Image { image, progress: None }));
    }

    fn thought(content: &str) -> Task {
        Task { status_indicator: TaskStatus::None, kind: TaskKind::Thought { title: None, content: content.into() } }
    }
}
