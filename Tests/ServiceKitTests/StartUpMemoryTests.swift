import Testing

@testable import ServiceKit

struct StartUpMemoryTests {
    @Test func `only what a file backs, nobody can write and the loader left alone is given back`() {
        let smaps = [
            ("00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/event-bus", 0),
            ("00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/event-bus", 4),
            ("00652000-00655000 rw-p 00052000 08:02 173521      /usr/bin/event-bus", 0),
            ("00e03000-00e24000 rw-p 00000000 00:00 0           [heap]", 120),
            ("35b1800000-35b1820000 r-xp 00000000 08:02 135522  /usr/lib64/ld-2.15.so", 0),
            ("35b1820000-35b1830000 r--p 00020000 08:02 135522  /usr/lib64/ld-2.15.so", 0),
            ("7fff00000000-7fff00001000 rwxp 00000000 08:02 12  /usr/lib/jit.so", 0),
            ("7fff00001000-7fff00002000 r--p 00000000 00:00 0", 0),
            ("7fffb2c0d000-7fffb2c0e000 r-xp 00000000 00:00 0   [vdso]", 0),
        ].map { "\($0)\nRss:                 120 kB\nAnonymous:       \($1) kB\nVmFlags: rd mr mw me\n" }.joined()
        #expect(
            StartUpMemory.unchangedSegments(in: smaps + "a line that is none\n") == [
                0x0040_0000..<0x0045_2000, 0x35_b180_0000..<0x35_b182_0000, 0x35_b182_0000..<0x35_b183_0000,
            ])
    }

    @Test func `a process works on after it gave its start-up text back`() async throws {
        await StartUpMemory.release(after: .zero)
        let sum = (1...1000).map { String($0) }.joined(separator: ",").split(separator: ",").compactMap { Int($0) }
        #expect(sum.reduce(0, +) == 500_500)
    }
}
