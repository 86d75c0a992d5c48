import Foundation
import Messages
import Testing

@testable import TrainerProxy

struct LogExcerptTests {
    private let begin = Timestamp(milliseconds: 1_700_000_000_000)

    private func told(_ pieces: String...) -> [String]? {
        var excerpt = LogExcerpt()
        for piece in pieces { excerpt.add(Data(piece.utf8)) }
        return excerpt.take(at: begin)?.lines
    }

    @Test func `lines are told as they were written`() {
        #expect(told("one\ntwo\n") == ["one", "two"])
        #expect(told("one\r\n", "two\r\n") == ["one", "two"])
        #expect(told("\n\n") == nil)
        #expect(told() == nil)
    }

    @Test func `of a progress bar only the newest state is told`() {
        #expect(told("start\n", "10 %\r", "20 %\r", "30 %\r") == ["start", "30 %"])
        #expect(told("10 %\r20 %\rdone\nnext\n") == ["done", "next"])
        #expect(told("done\r", "\n", "next\n") == ["done", "next"])
    }

    @Test func `not more often than five times a second, unless it is the last word`() {
        var excerpt = LogExcerpt()
        excerpt.add(Data("one\n".utf8))
        #expect(excerpt.take(at: begin)?.lines == ["one"])
        #expect(excerpt.take(at: begin.advanced(by: .seconds(9))) == nil)
        excerpt.add(Data("two\n".utf8))
        #expect(excerpt.take(at: begin.advanced(by: .milliseconds(199))) == nil)
        excerpt.add(Data("three\n".utf8))
        #expect(excerpt.take(at: begin.advanced(by: .milliseconds(200)))?.lines == ["two", "three"])
        excerpt.add(Data("four\n".utf8))
        #expect(excerpt.take(at: begin.advanced(by: .milliseconds(201)), isLast: true)?.lines == ["four"])
    }

    @Test func `of too many lines the newest are told, and how many are not`() throws {
        var excerpt = LogExcerpt()
        for number in 1...1_000 { excerpt.add(Data("line \(number)\n".utf8)) }
        let taken = excerpt.take(at: begin)
        let (lines, omitted) = try #require(taken)
        #expect(lines.count == LogExcerpt.linesAtOnce && lines.last == "line 1000")
        #expect(omitted == 1_000 - LogExcerpt.linesAtOnce)
        excerpt.add(Data("more\n".utf8))
        #expect(excerpt.take(at: begin, isLast: true)?.omitted == 0)
    }

    @Test func `of a great deal only the end is looked at, and every line is accounted for`() throws {
        var excerpt = LogExcerpt()
        excerpt.add(Data("first\n".utf8))
        excerpt.add(Data((1...50_000).map { "line \($0)\n" }.joined().utf8))
        let taken = excerpt.take(at: begin)
        let (lines, omitted) = try #require(taken)
        #expect(lines.last == "line 50000")
        #expect(lines.count + omitted == 50_001)
        // One line without an end is looked at whole.
        excerpt.add(Data(String(repeating: "x", count: 200_000).utf8))
        #expect(excerpt.take(at: begin, isLast: true)?.lines.count == 1)
    }

    @Test(arguments: ["x", "\u{1}", "\"", "ü", "\u{fffd}"])
    func `whatever is written, a message fits the bus`(letter: String) throws {
        var excerpt = LogExcerpt()
        for _ in 1...200 { excerpt.add(Data((String(repeating: letter, count: 5_000) + "\n").utf8)) }
        excerpt.add(Data((0...255).map { UInt8($0) } + [10]))
        let taken = excerpt.take(at: begin)
        let (lines, omitted) = try #require(taken)
        #expect(try Wire.encode(lines).count <= LogExcerpt.bytesAtOnce + 3 * LogExcerpt.linesAtOnce)
        #expect(lines.allSatisfy { $0.jsonBytes <= LogExcerpt.lineBytes })
        #expect(omitted > 0 && !lines.isEmpty)
    }
}
