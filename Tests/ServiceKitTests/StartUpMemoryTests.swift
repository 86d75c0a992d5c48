import Testing

@testable import ServiceKit

struct StartUpMemoryTests {
    @Test func `only text that a file backs and nobody can write is given back`() {
        let maps = """
            00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/event-bus
            00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/event-bus
            00652000-00655000 rw-p 00052000 08:02 173521      /usr/bin/event-bus
            00e03000-00e24000 rw-p 00000000 00:00 0           [heap]
            35b1800000-35b1820000 r-xp 00000000 08:02 135522  /usr/lib64/ld-2.15.so
            7fff00000000-7fff00001000 rwxp 00000000 08:02 12  /usr/lib/jit.so
            7fffb2c0d000-7fffb2c0e000 r-xp 00000000 00:00 0   [vdso]
            a line that is none
            """
        #expect(
            StartUpMemory.textSegments(in: maps) == [0x0040_0000..<0x0045_2000, 0x35_b180_0000..<0x35_b182_0000])
    }

    @Test func `a process works on after it gave its start-up text back`() async throws {
        await StartUpMemory.release(after: .zero)
        let sum = (1...1000).map { String($0) }.joined(separator: ",").split(separator: ",").compactMap { Int($0) }
        #expect(sum.reduce(0, +) == 500_500)
    }
}
