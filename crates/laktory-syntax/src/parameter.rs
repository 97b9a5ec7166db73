//! Parameters of steps, and of functions that are shapes of their own: how arguments are bound to them, and what the
//! reference pages say about them.

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) keyword_only: bool,
    pub(crate) variadic: bool,
    /// What it takes, in words.
    pub(crate) takes: &'static str,
    /// What stands in for it, as written; empty when nothing does.
    pub(crate) default: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
}

impl Parameter {
    /// Says what the parameter takes.
    pub(crate) const fn of(mut self, takes: &'static str) -> Self {
        self.takes = takes;
        self
    }

    /// Says what stands in for it. The builder of the step has the value itself.
    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// Says what the parameter means.
    pub(crate) const fn says(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
}

/// A parameter that must be given.
pub(crate) const fn need(name: &'static str) -> Parameter {
    Parameter {
        name,
        required: true,
        keyword_only: false,
        variadic: false,
        takes: "",
        default: "",
        doc: "",
    }
}

/// A parameter that may be left out.
pub(crate) const fn may(name: &'static str) -> Parameter {
    Parameter {
        required: false,
        ..need(name)
    }
}

/// A parameter that may be left out, given by name only.
pub(crate) const fn key(name: &'static str) -> Parameter {
    Parameter {
        keyword_only: true,
        ..may(name)
    }
}

/// A parameter that must be given, by name.
pub(crate) const fn need_key(name: &'static str) -> Parameter {
    Parameter {
        keyword_only: true,
        ..need(name)
    }
}

/// The rest of the positional arguments.
pub(crate) const fn rest(name: &'static str, required: bool) -> Parameter {
    Parameter {
        name,
        required,
        variadic: true,
        ..may(name)
    }
}
