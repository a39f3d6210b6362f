//! A page as a browser has it: its forms are read, changed as a person would, and sent.

/// A form on a page.
#[derive(Debug, Clone)]
pub(super) struct PageForm {
    pub(super) action: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) html: String,
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// An attribute of a tag, which begins with the tag's name.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let from = tag.find(&format!(" {name}=\""))?;
    let value = tag.get(from + name.len() + 3..)?;
    Some(unescaped(value.split('"').next()?))
}

fn has(tag: &str, name: &str) -> bool {
    tag.split_whitespace().any(|word| word == name)
}

fn options(html: &str) -> String {
    let tags: Vec<&str> = html.split("<option").skip(1).map(|rest| rest.split('>').next().unwrap()).collect();
    let chosen = tags.iter().find(|tag| has(tag, "selected")).or_else(|| tags.first());
    chosen.and_then(|tag| attribute(tag, "value")).unwrap_or_default()
}

impl PageForm {
    /// All forms of a page's content that are sent to this address.
    pub(super) fn all(page: &str, action: &str) -> Vec<Self> {
        let content = page.split("</main>").next().unwrap_or_default();
        Self::in_html(content, action)
    }

    /// The form of the message that takes back what was just done.
    pub(super) fn undo(page: &str) -> Self {
        let message = page.split("<div class=\"toast\"").nth(1).unwrap_or_else(|| panic!("no message on {page}"));
        let action = attribute(message.split("<form").nth(1).unwrap(), "action").unwrap();
        Self::in_html(message, &action).remove(0)
    }

    fn in_html(html: &str, action: &str) -> Vec<Self> {
        let forms = html.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap());
        let forms =
            forms.filter(|html| attribute(html.split('>').next().unwrap(), "action").as_deref() == Some(action));
        forms.map(|html| Self { action: action.to_owned(), fields: fields(html), html: html.to_owned() }).collect()
    }

    pub(super) fn one(page: &str, action: &str) -> Self {
        let mut all = Self::all(page, action);
        assert_eq!(all.len(), 1, "forms to {action} on {page}");
        all.remove(0)
    }

    /// The one that has this field with this value.
    pub(super) fn with(page: &str, action: &str, name: &str, value: &str) -> Self {
        let mut all = Self::all(page, action).into_iter();
        all.find(|form| form.fields.iter().any(|field| *field == (name.to_owned(), value.to_owned()))).unwrap()
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// The form after somebody has typed.
    pub(super) fn typed(&self, typed: &[(&str, &str)]) -> Self {
        let mut form = self.clone();
        for (name, value) in typed {
            match form.fields.iter_mut().find(|(field, _)| field == name) {
                Some((_, old)) => *old = (*value).to_owned(),
                None => form.fields.push(((*name).to_owned(), (*value).to_owned())),
            }
        }
        form
    }

    pub(super) fn body(&self) -> String {
        let encode = super::super::forms::encode;
        let pairs = self.fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// What a browser would send of a form.
fn fields(html: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for rest in html.split('<').skip(1) {
        let tag = rest.split('>').next().unwrap();
        let Some(name) = attribute(tag, "name") else { continue };
        let value = attribute(tag, "value").unwrap_or_default();
        let kind = attribute(tag, "type").unwrap_or_default();
        match tag.split_whitespace().next().unwrap() {
            "input" if matches!(kind.as_str(), "radio" | "checkbox") && !has(tag, "checked") => {}
            "input" => fields.push((name, value)),
            "textarea" => fields.push((name, unescaped(rest.split_once('>').unwrap().1))),
            "select" => {
                let from = html.find(rest).unwrap();
                fields.push((name, options(html[from..].split("</select>").next().unwrap())));
            }
            _ => {}
        }
    }
    fields
}
