import Foundation
import Testing

@testable import TrainerProxy

struct LogLinesTests {
    private func log(_ pieces: [String], secrets: [String] = [], limit: Int = 1 << 20, notice: String? = nil) -> String
    {
        var lines = LogLines(mask: LogMask(secrets: secrets), limit: limit)
        var shown = Data()
        for piece in pieces { shown += lines.feed(Data(piece.utf8)) }
        shown += lines.finish(notice: notice)
        return String(decoding: shown, as: UTF8.self)
    }

    @Test func `a log is made of whole lines, however they arrive`() {
        #expect(log(["a", "b\nc", "\nd"]) == "ab\nc\nd\n")
        #expect(log(["ab\nc\nd"]) == "ab\nc\nd\n")
        #expect(log(["50%\r100%\r\ndone\n"]) == "50%\r100%\r\ndone\n")
        #expect(log([]) == "")
    }

    @Test(arguments: [
        (["the key is s3cret!\n"], "the key is ***!\n"),
        (["the key is s3c", "ret!\n"], "the key is ***!\n"),
        (["s3crets3cret"], "******\n"),
        (["long-s3cret\n"], "***\n"),
        (["line one\nline two\n"], "***\n***\n"),
    ])
    func `secrets are covered, also when they arrive in parts, hold each other or have several lines`(
        pieces: [String], expected: String
    ) {
        #expect(log(pieces, secrets: ["s3cret", "long-s3cret", "line one\nline two"]) == expected)
    }

    @Test func `a secret across the cut of an endless line is covered`() {
        for offset in -8...2 {
            let text =
                String(repeating: "x", count: LogLines.longestLine + offset) + "s3cret"
                + String(repeating: "y", count: 100)
            let shown = log([text], secrets: ["s3cret"])
            #expect(!shown.contains("s3cret") && shown.contains("***"), "offset \(offset)")
        }
    }

    @Test func `the log depends on the bytes alone and not on the pieces`() {
        let text =
            (0..<20_000).map { "line \($0) s3cret" + ($0 % 7 == 0 ? "\r" : "\n") }.joined()
            + String(repeating: "z", count: 200_000)
        let whole = log([text], secrets: ["s3cret"])
        var rest = Substring(text)
        var pieces: [String] = []
        for size in [1, 7, 70_000, 3, 65_537, 99_999].flatMap({ [$0, $0 + 1] }) + [Int.max] {
            pieces.append(String(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        #expect(log(pieces, secrets: ["s3cret"]) == whole)
    }

    @Test func `a log at its limit says that it was cut, and its last lines are still known`() {
        var lines = LogLines(mask: LogMask(secrets: []), limit: 10)
        let shown = lines.feed(Data("12345\n12345\nlast\n".utf8))
        #expect(
            String(decoding: shown, as: UTF8.self)
                == "12345\n[martlet] the log is cut here: it has reached its limit of 10 bytes\n")
        #expect(lines.isCut)
        #expect(lines.tail == ["12345", "12345", "last"])
    }

    @Test func `a failure quotes the last twenty lines`() {
        var lines = LogLines(mask: LogMask(secrets: []), limit: 1 << 20)
        _ = lines.feed(Data((1...50).map { "line \($0)\n" }.joined().utf8))
        #expect(lines.tail == (31...50).map { "line \($0)" })
    }

    @Test func `behind the cut the log's end is kept`() {
        let shown = log(["12345\n", "gone\n", "last\n"], limit: 6, notice: "exit code 1")
        #expect(shown.hasPrefix("12345\n[martlet] the log is cut here"))
        #expect(shown.hasSuffix("gone\nlast\n[martlet] exit code 1\n"))
        let lines = (0..<50_000).map { "line \($0)\n" }
        let long = log([lines.joined()], limit: 10)
        #expect(long.hasSuffix("line 49998\nline 49999\n"))
        #expect(long.contains("bytes are left out here; the end follows\n"))
        #expect(long.utf8.count < LogLines.longestEnd + 300)
    }
}
