//! Variables and parameters.

use super::*;

#[test]
fn r_var_lookup_order_and_types() {
    let text = "name: ${vars.who}\nvariables: {who: doc, n: 3, l: [1, '${vars.n}'], b: true, X_y: up}\nnodes:\n- name: a-${vars.x_Y}-${vars.n}-${var.b}\n  variables: {who: node}\n  comment: ${vars.who}-${vars.HOME_DIR}-${settings.runtime_root}\n  source: {path: x, format: CSV}\n  transformer:\n    nodes:\n    - {func_name: head, func_args: ['${vars.n}', '${vars.l}', '$1 ${1} ${spark.x} {{secrets/a/b}}']}\n";
    let read = |given: &[(&str, &str)]| {
        let options = LoadOptions {
            variables: given
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            environment: BTreeMap::from([
                ("home_dir".to_owned(), "h".to_owned()),
                ("n".to_owned(), "env".to_owned()),
            ]),
            ..LoadOptions::default()
        };
        load("p.yaml", text.as_bytes(), &options)
    };
    let loaded = read(&[]);
    assert_eq!(told(&loaded), [""; 0]);
    let pipeline = loaded.pipeline.expect("a pipeline");
    assert_eq!(pipeline.name, "doc");
    assert_eq!(pipeline.nodes[0].name, "a-up-3-true");
    assert_eq!(
        pipeline.nodes[0].comment.as_deref(),
        Some("node-h-./.laktory/")
    );
    let TransformerNode::Method(step) =
        &pipeline.nodes[0].transformer.as_ref().expect("steps").nodes[0]
    else {
        panic!("a method");
    };
    assert_eq!(step.func_args[0], 3);
    assert_eq!(step.func_args[1], serde_json::json!([1, 3]));
    assert_eq!(step.func_args[2], "$1 ${1} ${spark.x} {{secrets/a/b}}");
    // The command line wins over every scope, and keeps the type of what it replaces.
    let pipeline = read(&[("WHO", "cli"), ("n", "7")])
        .pipeline
        .expect("a pipeline");
    assert_eq!(pipeline.name, "cli");
    assert!(
        pipeline.nodes[0]
            .comment
            .as_deref()
            .expect("set")
            .starts_with("cli-")
    );
    let TransformerNode::Method(step) =
        &pipeline.nodes[0].transformer.as_ref().expect("steps").nodes[0]
    else {
        panic!("a method");
    };
    assert_eq!(step.func_args[0], 7);
}

#[test]
fn r_var_faults_are_placed_and_told_once() {
    for (more, expected) in [
        (
            "comment: a-${vars.nope}",
            "p.yaml:5:14: error: variable `nope` has no value",
        ),
        (
            "comment: \"\\t${vars.nope}\"",
            "p.yaml:5:15: error: variable `nope` has no value",
        ),
        (
            "variables: {a: '${vars.b}', b: 'x${vars.A}'}\ncomment: ${vars.a}",
            "variable `A` refers to itself: a → b → a",
        ),
        (
            "variables: {l: [1]}\ncomment: x${vars.l}",
            "is a list and cannot stand inside a text",
        ),
        (
            "comment: '${{ 1 + 1 }}'",
            "expressions `${{ … }}` are not supported yet",
        ),
        ("comment: ${resources.x.id}", "only known while deploying"),
        (
            "comment: ${current_user.user_name}",
            "only known while deploying",
        ),
        ("comment: ${include.x}", "was removed"),
        ("comment: ${vars.a-b}", "`a-b` is not a variable name"),
        ("comment: ${params.x}", "parameter `x` is not declared"),
        (
            "variables: {node: 1}\ncomment: ${vars.nod}",
            "did you mean `node`?",
        ),
    ] {
        let told = told(&loaded(&node(more)));
        assert_eq!(told.len(), 1, "{more}\n{told:#?}");
        assert!(told[0].contains(expected), "{more}\n{told:#?}");
    }
    let twice = loaded(&node("comment: ${vars.nope}\ntime_column: ${vars.nope}"));
    assert_eq!(twice.diagnostics.len(), 1);
    assert_eq!(twice.diagnostics[0].related[0].0.location(), "p.yaml:6:16");
}

#[test]
fn r_param_declared_given_and_missing() {
    let text = "name: p\nparameters: {client: , day: {default: 2024}}\nroot_path: r/${params.client}\nnodes:\n- name: a\n  comment: ${params.day}\n  source: {path: '${params.client}/x', format: CSV}\n";
    let read = |text: &str, given: &[(&str, &str)]| {
        let parameters = given
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        load(
            "p.yaml",
            text.as_bytes(),
            &LoadOptions {
                parameters,
                ..LoadOptions::default()
            },
        )
    };
    let pipeline = read(text, &[("client", "acme")])
        .pipeline
        .expect("a pipeline");
    assert_eq!(pipeline.root_path(&Settings::default()), "r/acme");
    assert_eq!(pipeline.nodes[0].sources[0].id(), "acme/x");
    assert_eq!(pipeline.nodes[0].comment.as_deref(), Some("2024"));
    for (text, given, expected) in [
        (
            text,
            &[][..],
            "p.yaml:2:14: error: parameter `client` has no value",
        ),
        (text, &[("client", "")], "parameter `client` has no value"),
        (
            text,
            &[("client", "a"), ("dya", "1")],
            "has no parameter `dya` (parameters); did you mean `day`?",
        ),
        (
            "name: p\nparameters: {refresh: {default: a}}\n",
            &[],
            "parameter name `refresh` is reserved",
        ),
        (
            "name: p\nparameters: {a: {default: b}}\nimports: ['${params.a}']\n",
            &[],
            "only be used in `nodes` and `root_path`",
        ),
        (
            "name: p\nparameters: {a: {default: b}}\nnodes: [{name: 'x${params.a}'}]\n",
            &[],
            "a node name cannot hold a parameter",
        ),
        (
            "name: p\nparameters: {a: {default: b}}\norchestrator: {type: SPARK_DECLARATIVE_PIPELINE}\n",
            &[],
            "parameters cannot be used with orchestrator",
        ),
    ] {
        let told = told(&read(text, given));
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains(expected), "{told:#?}");
    }
}
