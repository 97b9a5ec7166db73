//! The tables: `object!` declares an object by its fields, `choice!` an enumerated word.

/// Declares a struct by a table of its fields.
///
/// A field is `name: Type;` (default: the type's), `name: Type = default;`, `name: Type, required;`, or one of the
/// readers of [`Fields`](crate::decode::Fields): `upper`, `required_upper`, `switch`. The name in brackets is what
/// messages call the object. With `part` instead of `struct` the object shares its mapping with another one.
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        $form:ident $name:ident [$label:literal] {
            $(
                $(#[doc = $field_doc:literal])*
                $field:ident : $type:ty $(= $default:expr)? $(, $reader:ident)? ;
            )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::decode::object!(@default $type $(= $default)?), )* }
            }
        }

        impl $crate::decode::Object for $name {
            const LABEL: &'static str = $label;
            const DOC: &'static str = concat!($($doc, "\n"),*);
            const FIELDS: &'static [$crate::decode::FieldInfo] = &[
                $( $crate::decode::FieldInfo {
                    name: $crate::decode::object!(@key $field),
                    doc: concat!($($field_doc, "\n"),*),
                    required: $crate::decode::object!(@required $($reader)?),
                    schema: $crate::decode::object!(@schema $type $(, $reader)?),
                    default: $crate::decode::object!(@told ($type $(= $default)?) $($reader)?),
                }, )*
            ];

            fn take<'a>(fields: &mut $crate::decode::Fields<'a, '_>) -> Self {
                Self { $(
                    $field: $crate::decode::object!(
                        @take fields, $crate::decode::object!(@key $field), ($type $(= $default)?) $($reader)?
                    ),
                )* }
            }

            fn dump<M: ::serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $(
                    if $crate::decode::object!(@required $($reader)?)
                        || self.$field != $crate::decode::object!(@default $type $(= $default)?)
                    {
                        map.serialize_entry($crate::decode::object!(@key $field), &self.$field)?;
                    }
                )*
                Ok(())
            }
        }

        $crate::decode::object!(@whole $form $name);
    };

    (@whole part $name:ident) => {};
    (@whole object $name:ident) => {
        impl $crate::decode::Decode for $name {
            fn decode<'a>(
                node: &'a $crate::tree::Node,
                decoder: &mut $crate::decode::Decoder<'a>,
            ) -> Option<Self> {
                use $crate::decode::Object as _;
                let Some(entries) = node.as_map() else {
                    $crate::decode::expected(&$crate::decode::a(Self::LABEL), node, decoder);
                    return None;
                };
                let mut fields = $crate::decode::Fields::new(entries, decoder);
                let value = Self::take(&mut fields);
                fields.finish(&$crate::decode::a(Self::LABEL), &[Self::FIELDS]);
                Some(value)
            }

            fn schema(definitions: &mut $crate::decode::Definitions) -> ::serde_json::Value {
                definitions.object::<Self>()
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap as _;
                use $crate::decode::Object as _;
                let mut map = serializer.serialize_map(None)?;
                self.dump(&mut map)?;
                map.end()
            }
        }
    };

    (@key r#type) => { "type" };
    (@key r#where) => { "where" };
    (@key $field:ident) => { stringify!($field) };

    (@required required) => { true };
    (@required required_upper) => { true };
    (@required $($reader:ident)?) => { false };

    (@schema $type:ty, switch) => {
        |definitions| {
            let switch = <bool as $crate::decode::Decode>::schema(definitions);
            let options = <$type as $crate::decode::Decode>::schema(definitions);
            ::serde_json::json!({ "anyOf": [switch, options] })
        }
    };
    (@schema $type:ty $(, $reader:ident)?) => { <$type as $crate::decode::Decode>::schema };

    (@told ($type:ty) required) => { || None };
    (@told ($type:ty) required_upper) => { || None };
    (@told ($type:ty $(= $default:expr)?) $($reader:ident)?) => {
        || $crate::decode::told_default(&$crate::decode::object!(@default $type $(= $default)?))
    };

    (@default $type:ty = $default:expr) => { $default };
    (@default $type:ty) => { <$type>::default() };

    (@take $fields:ident, $key:expr, ($type:ty $(= $default:expr)?) required) => { $fields.required($key) };
    (@take $fields:ident, $key:expr, ($type:ty $(= $default:expr)?) required_upper) => { $fields.required_upper($key) };
    (@take $fields:ident, $key:expr, ($type:ty $(= $default:expr)?) upper) => { $fields.upper($key) };
    (@take $fields:ident, $key:expr, ($type:ty $(= $default:expr)?) switch) => { $fields.switch($key) };
    (@take $fields:ident, $key:expr, ($type:ty = $default:expr)) => { $fields.optional($key).unwrap_or_else(|| $default) };
    (@take $fields:ident, $key:expr, ($type:ty)) => { $fields.optional::<$type>($key).unwrap_or_default() };
}

/// Declares an enumerated word: read in any letter case, written as its first spelling.
macro_rules! choice {
    (
        $(#[$attribute:meta])*
        $name:ident [$label:literal] {
            $( $(#[$variant_attribute:meta])* $variant:ident = $word:literal $(| $other:literal)* , )*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_attribute])* $variant, )*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// Every spelling.
            pub(crate) const WORDS: &'static [&'static str] = &[$( $word $(, $other)* ),*];

            /// The word for it in YAML.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// The value called `word`, in any letter case.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                let word = word.trim();
                $( if [$word $(, $other)*].iter().any(|name| name.eq_ignore_ascii_case(word)) {
                    return Some(Self::$variant);
                } )*
                None
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode<'a>(
                node: &'a $crate::tree::Node,
                decoder: &mut $crate::decode::Decoder<'a>,
            ) -> Option<Self> {
                let Some(text) = node.as_text() else {
                    $crate::decode::expected(&$crate::decode::a($label), node, decoder);
                    return None;
                };
                let value = Self::parse(text);
                if value.is_none() {
                    let words = Self::ALL.iter().map(|value| value.name());
                    let hint = ::laktory_syntax::did_you_mean(text, words);
                    decoder.error_with_hint("unknown-word", format!("`{text}` is not {}", $crate::decode::a($label)), hint);
                }
                value
            }

            fn schema(_: &mut $crate::decode::Definitions) -> ::serde_json::Value {
                let words: Vec<&str> = Self::ALL.iter().map(|value| value.name()).collect();
                $crate::decode::one_of_words(&words, Self::WORDS)
            }
        }
    };
}

/// Reads and writes a `part` object, of which a bare text is a short form: the value of its main field.
macro_rules! shorthand {
    ($name:ident, $main:ident) => {
        impl $crate::decode::Decode for $name {
            fn decode<'a>(
                node: &'a $crate::tree::Node,
                decoder: &mut $crate::decode::Decoder<'a>,
            ) -> Option<Self> {
                use $crate::decode::Object as _;
                if let Some(text) = node.as_text() {
                    return Some(Self { $main: text.to_owned(), ..Self::default() });
                }
                let Some(entries) = node.as_map() else {
                    let wanted = format!("a text or {}", $crate::decode::a(Self::LABEL));
                    $crate::decode::expected(&wanted, node, decoder);
                    return None;
                };
                let mut fields = $crate::decode::Fields::new(entries, decoder);
                let value = Self::take(&mut fields);
                fields.finish(&$crate::decode::a(Self::LABEL), &[Self::FIELDS]);
                Some(value)
            }

            fn schema(definitions: &mut $crate::decode::Definitions) -> ::serde_json::Value {
                let object = definitions.object::<Self>();
                ::serde_json::json!({ "anyOf": [$crate::decode::text(), object] })
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap as _;
                use $crate::decode::Object as _;
                let plain = Self { $main: self.$main.clone(), ..Self::default() };
                if *self == plain {
                    return serializer.serialize_str(&self.$main);
                }
                let mut map = serializer.serialize_map(None)?;
                self.dump(&mut map)?;
                map.end()
            }
        }
    };
}

pub(crate) use choice;
pub(crate) use object;
pub(crate) use shorthand;
