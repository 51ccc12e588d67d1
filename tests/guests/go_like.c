/* A program with the note that the Go linker leaves: how dynamic Go programs are recognized. */
__asm__(".pushsection .note.go.buildid, \"a\", @note\n"
        ".balign 4\n"
        ".long 4, 4, 4\n"
        ".asciz \"Go\\0\"\n"
        ".ascii \"test\"\n"
        ".popsection");

int main(void) { return 0; }
