import Messages
import Testing

@testable import ProjectFile

struct NotYetTests {
    /// The warnings without the file's name.
    private func warnings(_ text: String) throws -> [String] {
        try project(text).warnings.map { "\($0.line):\($0.column): \($0.message)" }
    }

    @Test(arguments: NotYet.verbs.sorted())
    func `a verb that nothing serves is warned of where it stands`(verb: String) throws {
        let keys = Verbs.required(in: try #require(Verbs.keys[verb])).map { "\($0): api" }.joined(separator: ", ")
        let top = "targets: { api: { kind: process, command: serve } }"
        #expect(
            try warnings(file(steps: "- { uses: \(verb), with: { \(keys) } }", top: top)) == [
                "8:21: nothing serves '\(verb)' yet: a run that reaches it fails there"
            ])
        #expect(NotYet.reason(verb: verb)?.contains("'\(verb)'") == true)
    }

    @Test func `keys that nobody reads are warned of, and only those that the file gives`() throws {
        let text = file(
            steps: """
                - { uses: train/run, timeout: 5m, with: { command: x, experiment: e, timeout: 5m } }
                - { uses: artifact/fetch, with: { pipeline: p, artifact: a, to: there } }
                """)
        #expect(
            try warnings(text) == [
                "8:65: 'experiment' of 'train/run' has no effect yet",
                "8:80: 'timeout' of 'train/run' has no effect yet; the step's own 'timeout' has one",
                "9:71: 'to' of 'artifact/fetch' has no effect yet",
            ])
    }

    @Test(arguments: [
        (
            "backends: { aml: { kind: azureml, workspace: w } }",
            ["2:20: nothing serves back ends of kind 'azureml' yet: a run that asks for 'aml' fails there"]
        ),
        (
            "backends: { local: { kind: local, wait: poll } }",
            ["2:35: 'wait' of back end 'local' has no effect yet"]
        ),
        (
            "targets: { k: { kind: cluster, namespace: n } }",
            ["2:17: nothing serves targets of kind 'cluster' yet: a run that deploys to 'k' fails there"]
        ),
        (
            "targets: { api: { kind: process, command: serve, drain: 5s, token: t } }",
            ["2:61: 'token' of target 'api' has no effect yet"]
        ),
        (
            "notify: [ { when: run.failed, use: email, channel: a } ]",
            ["2:31: nothing delivers to 'email' yet: each of its messages is told as failed"]
        ),
        (
            "notify: [ { when: run.failed, use: file, channel: a, link: l } ]",
            ["2:54: 'link' of 'notify' has no effect yet"]
        ),
    ])
    func `back ends, targets and notifiers too`(top: String, told: [String]) throws {
        #expect(try warnings(file(steps: "- { run: x }", top: top)) == told)
    }

    @Test func `the list names what may stand in a file, and nothing else`() {
        #expect(NotYet.verbs.allSatisfy { Verbs.keys[$0] != nil })
        for (verb, keys) in NotYet.keys { #expect(keys.allSatisfy { Verbs.knows(verb, $0) }, "\(verb)") }
        #expect(NotYet.targetKeys.isSubset(of: Reading.targetKeys))
        #expect(NotYet.notifiers.isSubset(of: Reading.notifiers))
        #expect(Set(NotYet.notificationKeys).isSubset(of: Reading.notificationKeys))
    }
}
