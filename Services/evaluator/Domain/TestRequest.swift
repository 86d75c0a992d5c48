import Foundation
import Messages

/// What `evaluate/test` is to run, and where its report will be.
struct TestRequest: Hashable, Sendable {
    var argv: [String]
    /// Inside the working copy.
    var report: String
    var environment: Digest?
    var version: VersionSelector?
    /// The model of that version, where it is not the project's own.
    var model: String?

    init(_ work: StepWork) throws(Refusal) {
        let with = work.with
        let format = try with["report"]?.text("format") ?? "junit-xml"
        guard format == "junit-xml" else {
            throw Refusal("with.report.format: '\(format)' is not known; write junit-xml")
        }
        guard let path = try with["report"]?.text("path") else {
            throw Refusal("with.report.path is missing: say where the tests write their report, like report.xml")
        }
        guard let inside = Self.inside(path) else {
            throw Refusal("with.report.path: '\(path)' leaves the working copy")
        }
        report = inside
        let (script, command) = (try with.text("script"), try with.text("command"))
        switch (script, command) {
        case (let script?, nil): argv = try Self.argv(script: script, report: inside)
        case (nil, let command?): argv = ["/bin/sh", "-ec", command]
        case (nil, nil): throw Refusal("with.script is missing: name the test script, or write a command")
        case (_?, _?): throw Refusal("with.script and with.command are both given: write one of them")
        }
        environment = try Self.environment(with)
        version = try Self.version(with)
        // `model` alone names the version to test; beside `version` it is the model's name.
        model = with["version"] == nil ? nil : try with.text("model")
        try ProcessVariables.refuseSecrets(work, what: "tests of a model")
    }

    /// A test script is one of three kinds: pytest's own by its name, other Python, or a program.
    private static func argv(script: String, report: String) throws(Refusal) -> [String] {
        guard let inside = inside(script) else { throw Refusal("with.script: '\(script)' leaves the working copy") }
        let name = inside.split(separator: "/").last.map(String.init) ?? inside
        guard name.hasSuffix(".py") else { return ["./" + inside] }
        let isPytest = name.hasPrefix("test_") || name.hasSuffix("_test.py")
        return isPytest ? ["python3", "-m", "pytest", inside, "--junitxml=\(report)"] : ["python3", inside]
    }

    private static func environment(_ with: JSONValue) throws(Refusal) -> Digest? {
        let value = with["environment"]
        guard let text = try value?.text("environment") ?? value?.string, !text.isEmpty else { return nil }
        guard let digest = Digest(text) else {
            throw Refusal("with.environment: '\(text)' is no environment; give the output of env/ensure")
        }
        return digest
    }

    private static func version(_ with: JSONValue) throws(Refusal) -> VersionSelector? {
        guard let value = with["version"] ?? with["model"], value != .null, value != "" else { return nil }
        guard let selector = VersionSelector(value) else {
            throw Refusal("with.version: write the version to test: \(VersionSelector.forms)")
        }
        return selector
    }

    /// `nil` unless the path stays inside the folder that it is relative to.
    static func inside(_ path: String) -> String? {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !path.hasPrefix("/"), !path.contains("\0"), !parts.isEmpty, !parts.contains("..") else { return nil }
        return parts.joined(separator: "/")
    }

    /// What the process sees of our own environment, of its run, and of what it tests.
    ///
    /// - Parameters:
    ///   - python: folder of the Python environment that goes before everything else.
    ///   - model: folder of the model under test.
    func variables(
        _ work: StepWork, own: [String: String], folder: String, python: String?, model: String?
    ) -> [String: String] {
        var variables = ProcessVariables.of(work, own: own, python: python, marker: folder)
        variables["MARTLET_REPORT"] = report
        variables["MARTLET_MODEL"] = model
        return variables
    }
}
