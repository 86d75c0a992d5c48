import Messages
@testable import ProjectFile
import Testing

private let values: [(String, JSONValue)] = [
    ("${{ vars.flag }}", true), ("${{ vars.seven }}", 7), ("n ${{ vars.seven }}", "n 7"),
    ("${{ vars.auto-trigger-training }}", false), ("'${{ ''x'' }}'", "x"), ("\"${{ 'it''s' }}\"", "it's"),
    ("${{ steps.s.metrics.mse }}", 0.5), ("${{ steps.s.metrics }}", ["mse": 0.5]),
    ("v${{ steps.s.metrics }}", "v{\"mse\":0.5}"), ("${{ steps.s.items.1 }}", 20),
    ("${{ steps.s.nothing }}", .null), ("a${{ steps.s.nothing }}b", "ab"),
    ("${{ event.kind == 'push' }}", true), ("${{ event.kind != 'push' }}", false),
    ("${{ vars.seven == '7' }}", true), ("${{ vars.empty == '' }}", true), ("${{ event.none == '' }}", true),
    ("${{ params.p && 'yes' || 'no' }}", "yes"), ("${{ vars.empty && 'yes' || 'no' }}", "no"),
    ("${{ params.q || 3 }}", 3), ("${{ !vars.flag || (vars.seven == 7 && !vars.empty) }}", true),
    ("${{ true || false && false }}", true), ("${{ (true || false) && false }}", false),
    ("${{ contains(event.comment, '/build') }}", true), ("${{ contains(event.list, 'a') }}", true),
    ("${{ contains(event.list, 'b') }}", false), ("${{ contains(event.none, 'b') }}", false),
    ("${{ startsWith(git.branch, 'ma') }}", true), ("${{ startsWith(event.none, 'ma') }}", false),
    ("${{ success() }}", true), ("${{ failure() }}", false), ("${{ always() }}", true),
    ("${{ project }}", "churn"), ("${{ job.k }}", "v"), ("${{ -1.5 }}", -1.5),
    ("'${{ ''}}'' }}'", "}}"), ("${{ secrets.HOOK }}", ["secret": "HOOK"]),
    ("'${{ vars.seven }}${{ vars.seven }}'", "77"),
]

struct ExpressionTests {
    private var scope: Scope {
        Scope(
            project: "churn", event: ["kind": "push", "comment": "please /build now", "list": ["a", 7]],
            git: ["branch": "main"], params: ["p": "text"],
            vars: ["flag": true, "auto-trigger-training": false, "empty": "", "seven": 7],
            steps: ["s": ["outcome": "succeeded", "metrics": ["mse": 0.5], "items": [10, 20]]], job: ["k": "v"]
        )
    }

    @Test(arguments: values)
    func `an expression has its value`(text: String, value: JSONValue) throws {
        #expect(try evaluate(text, scope) == value)
    }

    @Test(arguments: [
        ("vars.seven + 1", "8:26: '+' is no operator here: there are == != && || ! and no arithmetic"),
        ("vars.seven > 1", "8:26: '>' is no operator here: there are == != && || ! and no arithmetic"),
        ("vars.seven = 1", "8:26: '=' is written '==' in an expression"),
        ("vars['seven']", "8:19: '[' does not belong into an expression: members are written with a dot"),
        ("(vars.seven", "8:27: expected ')' here"),
        (
            "vars.seven vars.seven",
            "8:26: expected an operator or the end of the expression here"
        ),
        ("", "8:16: there is no expression between ${{ and }}"),
        ("vars.seven &&", "8:29: the expression ends too early"),
        ("&& vars.seven", "8:15: expected a value here"), ("'open", "8:11: this ${{ is never closed by }}"),
        ("contians(git.branch, 'a')", "8:15: unknown function 'contians'; did you mean 'contains()'?"),
        ("contains('a')", "8:15: contains() takes 2 values, not 1"),
        ("always(1)", "8:15: always() takes no values, not 1"),
        ("stpes.a.b", "8:15: unknown reference 'stpes'; did you mean 'steps'?"),
        ("vars.sevn", "8:15: unknown reference 'vars.sevn': there is no variable 'sevn'; did you mean 'seven'?"),
        ("git.shaa", "8:15: unknown reference 'git.shaa'; did you mean 'sha'?"),
        ("params.x", "8:15: unknown reference 'params.x': there is no parameter 'x'; there is none"),
        ("needs.k.v", "8:15: unknown reference 'needs.k.v': there is no job 'k'; there is none"),
        ("matrix.x", "8:15: 'matrix' is not known here: the job has no matrix"),
        ("steps.late.x", "8:15: 'steps.late.x': step 'late' comes later"),
        (
            "steps.never.x",
            "8:15: unknown reference 'steps.never.x': there is no step 'never' before this one; there is none"
        ),
        (
            "job.target",
            "8:15: unknown reference 'job.target': there is no value in the job's 'with' 'target'; there are id, name"
        ),
        (
            "true && secrets.A",
            "8:23: 'secrets.A' must stand alone: a secret is handed on by name and never part of a text"
        ),
    ])
    func `what cannot be is refused when the file is read`(text: String, error: String) {
        // The script's block begins in line 8; its expression in column 11.
        let top = "variables: { seven: 7 }"
        let body = "jobs:\n  j:\n    steps: [ { run:\n      ${{ \(text) }}\"} , { id: late, run: x } ]"
            .replacing("run:\n      ", with: "run:\n      \"")
        #expect(errors(file(pipeline: body, top: top)) == [error].map { $0.replacing("8:11", with: "8:12") }.map(shift))
    }

    /// The quote moves what stands on the line by one.
    private func shift(_ error: String) -> String {
        let parts = error.split(separator: ":", maxSplits: 2)
        guard error.contains("never closed") == false else { return error }
        return "\(parts[0]):\((Int(parts[1]) ?? 0) + 1):\(parts[2])"
    }

    @Test func `a condition without a word on failures asks for success`() throws {
        let steps = """
            - { id: a, run: x }
            - { if: "${{ steps.a.outcome == 'failed' }}", run: x }
            - { if: "failure() || steps.a.outcome == 'failed'", run: x }
            - { if: always(), run: x }
            """
        let read = try project(file(steps: steps)).pipelines[0].jobs[0].steps
        let failed = Scope(steps: ["a": ["outcome": "failed"]], standing: .failed)
        #expect(try read.map { try $0.condition.holds(in: failed) } == [false, false, true, true])
        let lost = Scope(steps: ["a": ["outcome": "not_promoted"]], standing: .notPromoted)
        #expect(try read.map { try $0.condition.holds(in: lost) } == [false, false, false, true])
        let ignored = Scope(steps: ["a": ["outcome": "failed"]], standing: .succeeded)
        #expect(try read.map { try $0.condition.holds(in: ignored) } == [true, true, true, true])
    }

    @Test func `success is false after not_promoted, and the worst of several stands`() {
        #expect(Scope.standing(of: [.succeeded, .notPromoted]) == .notPromoted)
        #expect(Scope.standing(of: [.skipped, .failed, .notPromoted]) == .failed)
        #expect(Scope.standing(of: [.succeeded, .skipped]) == .skipped)
        #expect(Scope.standing(of: []) == .succeeded)
    }

    @Test func `needs reaches only jobs that are needed, and their outputs`() {
        let body = """
            jobs:
              a: { outputs: { version: 1 }, steps: [ { run: x } ] }
              b: { needs: a, steps: [ { run: "${{ needs.a.version }} ${{ needs.a.vresion }}" } ] }
              c: { steps: [ { run: "${{ needs.a.version }}" } ] }
            """
        #expect(
            errors(file(pipeline: body)) == [
                "7:66: unknown reference 'needs.a.vresion': job 'a' has no output 'vresion'; did you mean 'version'?",
                "8:33: 'needs.a.version': this job does not say that it needs 'a'",
            ]
        )
    }

    @Test func `half a condition inside braces is refused, a secret in a script too`() {
        #expect(
            errors(file(steps: "- { if: \"${{ always() }} == true\", run: x }\n- run: echo ${{ secrets.A }}")) == [
                "8:19: the whole condition belongs inside one ${{ }}",
                "9:27: 'secrets.A' must stand alone: a secret is handed on by name and never part of a text",
            ]
        )
    }

    @Test func `an expression in a block of lines has its own line`() {
        #expect(
            errors(file(steps: "- run: |\n    echo a\n    echo ${{ git.sha }} ${{ git.shb }}")) == [
                "10:39: unknown reference 'git.shb'; did you mean 'sha'?"
            ]
        )
    }

    @Test func `variables may use those above them only`() throws {
        let top = "variables: { a: 1, b: \"x${{ vars.a }}\", c: \"${{ vars.b }}-${{ project }}\" }"
        let body = "jobs: { j: { steps: [ { run: x } ] } }"
        #expect(try project(file(pipeline: body, top: top)).variableValues() == ["a": 1, "b": "x1", "c": "x1-repo"])
        #expect(
            errors(file(pipeline: body, top: "variables: { a: \"${{ vars.b }}\", b: 1 }")) == [
                "2:22: unknown reference 'vars.b': there is no variable 'b'; there is none"
            ]
        )
    }

    @Test func `an expression that nests or lasts too long is refused`() {
        let deep = String(repeating: "(", count: 60) + "true" + String(repeating: ")", count: 60)
        #expect(
            errors(file(steps: "- run: ${{ \(deep) }}")).first?.hasSuffix("this expression is nested too deeply")
                == true)
        let long = Array(repeating: "true", count: 3_000).joined(separator: "||")
        #expect(errors(file(steps: "- run: ${{ \(long) }}")).first?.contains("at most 10000 bytes") == true)
    }
}
