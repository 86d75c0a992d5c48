/// The verbs of our services with what their `with` may hold (D.4). Others need a vendor's prefix of their own.
enum Verbs {
    /// Keys by verb. A key with `!` must be there.
    static let keys: [String: String] = [
        "pipeline/start": "pipeline! parameters branch wait",
        "train/run": """
        backend command script parameters tags pipeline pipeline_version experiment job name notebook \
        publish_log log_files cluster environment requirements timeout dataset resources
        """,
        "train/publish": "backend name version compile mode description definition git_ref substitute cluster",
        "env/build": "requirements python files name",
        "env/ensure": "requirements python files name validate_only fail_on_missing",
        "dataset/ensure": "files initialize_from name",
        "image/build": "repository context dockerfile also_tag tag model args",
        "infra/apply": "template parameters backend",
        "checks/publish": "junit title fail_on_failed_tests",
        "artifact/publish": "name! file content path",
        "artifact/fetch": "pipeline! run branch artifact! to",
        "evaluate/test": "script command report environment model version timeout",
        "evaluate/assert": "run metric! less_than greater_than equals at_least at_most on_fail message",
        "evaluate/compare": """
        challenger champion pair metric! better! tie no_champion missing_metric min_absolute_change \
        min_relative_change on_lose message against score log_as model metrics significance slices mode \
        metric_source
        """,
        "evaluate/pin": "champion challenger no_champion model",
        "registry/register": "run! model tags path type dataset description description_from idempotency_key",
        "registry/resolve": "model select! on_none message expect all",
        "registry/tag": "model version! tags! remove exclusive replace_existing_with",
        "registry/transition": "model version! to! expect expect_holder decision approval reason",
        "registry/download": "model select version path to files",
        "deploy/code": "target! from commit to",
        "deploy/model": "target! version! model name overwrite resources tags publish_secrets timeout drain",
        "deploy/smoke-test": "target! name path request expect retry headers on_fail timeout method",
        "deploy/rollout": "target! stable candidate steps on_fail on_success finally",
        "deploy/rollback": "target! name reason",
        "notify/slack": "channel! text!",
        "notify/teams": "channel! text! title link",
        "notify/webhook": "channel! text body headers",
        "notify/email": "channel to text subject",
        "notify/file": "channel! text!",
        "notify/pull-request": "comment check label",
    ]

    static let prefixes = Set(keys.keys.map { $0.prefix { $0 != "/" } })

    /// Keys that hold one of a few words.
    static let words: [String: [String: [String]]] = [
        "evaluate/compare": [
            "better": ["lower", "higher"], "tie": ["lose", "win"], "no_champion": ["win", "lose", "fail"],
            "missing_metric": ["lose", "win", "fail"], "on_lose": ["not_promoted", "report", "fail"],
            "mode": ["enforcing", "advisory"], "metric_source": ["registered", "tag", "run"],
            "significance": ["mcnemar", "paired_t", "paired_bootstrap"],
        ],
        "evaluate/pin": ["no_champion": ["win", "lose", "fail"]],
        "evaluate/assert": ["on_fail": ["not_promoted", "report", "fail"]],
        "registry/resolve": [
            "on_none": ["fail", "not_promoted", "skip"]
        ],
        "deploy/smoke-test": ["on_fail": ["rollback", "fail"]],
    ]

    /// Of those, the ones that may hold a map instead, which says more.
    static let maps: [String: Set<String>] = ["evaluate/compare": ["significance"]]

    /// What such a verb's `defaults` may add to.
    static func knows(_ verb: String, _ key: String) -> Bool {
        keys[verb].map { names(in: $0).contains(key) } ?? false
    }

    static func names(in text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map { String($0.hasSuffix("!") ? $0.dropLast() : $0) }
    }

    static func required(in text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).filter { $0.hasSuffix("!") }.map { String($0.dropLast()) }
    }
}
