//! Charts: the title, and a table of what is drawn. The numbers are those that the file keeps of its last showing.

use std::collections::BTreeMap;

use crate::docs::format::slide::Text;
use crate::docs::format::xml::{self, Element, Token};

/// A chart with more points than this shows a shape, not figures.
const MAX_POINTS: usize = 200;

/// The texts of a chart.
pub fn texts(text: &str) -> Vec<Text> {
    let mut chart = Chart::default();
    xml::walk(text, |token| chart.token(token));
    chart.write()
}

#[derive(Default)]
struct Chart {
    title: String,
    series: Vec<Series>,
    part: Part,
    point: usize,
    value: Option<String>,
    in_title_text: bool,
}

/// Where in the chart we are.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    None,
    Title,
    Name,
    Categories,
    Values,
}

#[derive(Default)]
struct Series {
    name: String,
    categories: BTreeMap<usize, String>,
    values: BTreeMap<usize, String>,
}

impl Chart {
    fn token(&mut self, token: Token) {
        match token {
            Token::Start(element) => self.start(&element),
            Token::End(name) => self.end(&name),
            Token::Text(text) => {
                if self.in_title_text {
                    self.title.push_str(&text);
                } else if let Some(value) = &mut self.value {
                    value.push_str(&text);
                }
            }
        }
    }

    fn start(&mut self, element: &Element) {
        match element.name.as_str() {
            "title" => {
                self.part = Part::Title;
                if !self.title.is_empty() {
                    self.title.push_str(", ");
                }
            }
            "ser" => self.series.push(Series::default()),
            "tx" if self.part == Part::None => self.part = Part::Name,
            "cat" | "xVal" => self.part = Part::Categories,
            "val" | "yVal" => self.part = Part::Values,
            "pt" => self.point = element.number("idx").unwrap_or(0),
            "v" => self.value = Some(String::new()),
            "t" => self.in_title_text = self.part == Part::Title,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_title_text = false,
            "v" => self.end_value(),
            "title" | "cat" | "xVal" | "val" | "yVal" => self.part = Part::None,
            "tx" if self.part == Part::Name => self.part = Part::None,
            _ => {}
        }
    }

    fn end_value(&mut self) {
        let (Some(value), Some(series)) = (self.value.take(), self.series.last_mut()) else { return };
        match self.part {
            Part::Name => series.name = value,
            Part::Categories if series.categories.len() <= MAX_POINTS => {
                series.categories.insert(self.point, value);
            }
            Part::Values if series.values.len() <= MAX_POINTS => {
                series.values.insert(self.point, value);
            }
            _ => {}
        }
    }

    fn write(self) -> Vec<Text> {
        let mut texts = Vec::new();
        if !self.title.trim().is_empty() {
            texts.push(Text::Paragraph(self.title));
        }
        let Some(first) = self.series.first() else { return texts };
        if first.categories.is_empty() || first.categories.len() > MAX_POINTS {
            return texts;
        }
        let names = self.series.iter().map(|series| series.name.clone());
        texts.push(Text::Row { header: true, cells: std::iter::once(String::new()).chain(names).collect() });
        for (point, category) in &first.categories {
            let values = self.series.iter().map(|series| series.values.get(point).cloned().unwrap_or_default());
            texts.push(Text::Row { header: false, cells: std::iter::once(category.clone()).chain(values).collect() });
        }
        texts
    }
}
