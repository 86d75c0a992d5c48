import Messages
import Testing

@testable import Deployer

@Suite struct AgreementTests {
    private let rules = [
        "production": StageRule(many: false, replacedBecomes: "surpassed"), "staging": StageRule(many: true),
        "surpassed": StageRule(many: true),
    ]

    /// An endpoint that serves version 7.
    private func verdict(
        _ stages: [Int: String], standsFor stage: String? = nil, trouble: String? = nil, isChanging: Bool = false
    ) throws -> Agreement.Verdict {
        var serving = try deployment("d7", version: 7)
        serving.stage = stage
        serving.trouble = trouble
        return Agreement(endpoint: "api", serving: serving, stages: stages, rules: rules, isChanging: isChanging)
            .verdict()
    }

    @Test func `an endpoint stands for the first stage that its version held`() throws {
        #expect(try verdict([:]) == .holds(stage: nil))
        #expect(try verdict([7: "production", 6: "surpassed"]) == .holds(stage: "production"))
        #expect(try verdict([7: "staging", 8: "staging"]) == .holds(stage: "staging"))
    }

    @Test func `D14 the registry says version 8, the endpoint serves version 7`() throws {
        let drift = Agreement.Drift(
            cause: .stage, stage: "production", expected: [8],
            reason: "the registry has version 8 of m as 'production', but endpoint api serves version 7")
        #expect(try verdict([7: "surpassed", 8: "production"], standsFor: "production") == .drifted(drift))
        #expect(try verdict([8: "production"], standsFor: "production") == .drifted(drift))
    }

    @Test func `a version that was put away while it serves has drifted, one that moved on has not`() throws {
        let reason = "version 7 of m is 'surpassed' and no version is 'production', but endpoint api still serves it"
        let away = Agreement.Drift(cause: .stage, stage: "production", expected: [], reason: reason)
        #expect(try verdict([7: "surpassed"], standsFor: "production") == .drifted(away))
        #expect(try verdict([7: "production"], standsFor: "staging") == .holds(stage: "staging"))
    }

    @Test func `nothing is said while a run still moves stage or endpoint`() throws {
        #expect(try verdict([8: "production"], standsFor: "production", isChanging: true) == .undecided)
    }

    @Test func `a process that does not come up is told whatever runs go on`() throws {
        let drift = Agreement.Drift(cause: .process, stage: "production", expected: [7], reason: "exit code 3")
        let told = try verdict([:], standsFor: "production", trouble: "exit code 3", isChanging: true)
        #expect(told == .drifted(drift))
    }

    @Test func `an endpoint that serves nothing has not drifted`() {
        let empty = Agreement(endpoint: "api", stages: [7: "production"], rules: rules, isChanging: false)
        #expect(empty.verdict() == .holds(stage: nil))
    }
}
