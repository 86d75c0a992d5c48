import Messages
@testable import ProjectFile
import Testing

@Suite struct ScriptTests {
    private let hostile = "x'; rm -rf / #$(reboot)`id`\""

    private func script(_ text: String) throws -> (text: String, variables: [String: String]) {
        let read = try project(file(steps: "- { id: s, run: x }\n- run: \"\(text)\"", top: "variables: { fine: abc }"))
        let step = try #require(read.pipelines.first?.jobs.first?.steps.last?.with["script"])
        return try step.script(
            in: Scope(project: "p", git: ["message": .string(hostile)], vars: ["fine": "abc"], steps: ["s": ["n": 7]]))
    }

    @Test func `what a stranger wrote never becomes part of a script`() throws {
        let (text, variables) = try script("echo ${{ git.message }} ${{ steps.s.n }}")
        #expect(text == "echo ${MARTLET_VALUE_1} ${MARTLET_VALUE_2}")
        #expect(variables == ["MARTLET_VALUE_1": hostile, "MARTLET_VALUE_2": "7"])
    }

    @Test func `what stands in the file itself is put in as it is`() throws {
        let (text, variables) = try script("echo ${{ vars.fine }} ${{ project }}")
        #expect(text == "echo abc p")
        #expect(variables.isEmpty)
    }

    @Test func `one foreign reference makes the whole expression foreign`() throws {
        let (text, variables) = try script("echo ${{ vars.fine || git.message }}")
        #expect(text == "echo ${MARTLET_VALUE_1}")
        #expect(variables == ["MARTLET_VALUE_1": "abc"])
    }
}
