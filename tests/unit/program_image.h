/* A program file for tests of what is said of programs, small and whole, to be broken on purpose.
 */
#ifndef PORTWITNESS_UNIT_PROGRAM_IMAGE_H
#define PORTWITNESS_UNIT_PROGRAM_IMAGE_H

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#define FOREIGN_MACHINE EM_AARCH64
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#else
#define MACHINE EM_AARCH64
#define FOREIGN_MACHINE EM_X86_64
#define LOADER "/lib/ld-linux-aarch64.so.1"
#endif

enum { LOADED = 0x400000 };
enum { WHOLE, INTERPRETER, DYNAMIC, NOTES, SEGMENTS };

/* A program file, as a linker would lay it out, with everything that is looked at. */
struct image {
    ElfW(Ehdr) header;
    ElfW(Phdr) segment[SEGMENTS];
    char loader[32];
    struct {
        ElfW(Nhdr) header;
        char owner[4];
        char text[4];
    } note[2];
    ElfW(Dyn) dynamic[5];
    char names[160];
};

enum { FIRST_NAME = 1, SECOND_NAME = 32 };

static inline ElfW(Phdr) segment_of(unsigned type, size_t offset, size_t size) {
    return (ElfW(Phdr)){
        .p_type = type, .p_offset = offset, .p_vaddr = LOADED + offset, .p_filesz = size};
}

/* An ordinary dynamic program with two needed libraries and two notes. */
static inline struct image ordinary(void) {
    struct image image;
    memset(&image, 0, sizeof image);
    memcpy(image.header.e_ident, ELFMAG, SELFMAG);
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.header.e_machine = MACHINE;
    image.header.e_phentsize = sizeof(ElfW(Phdr));
    image.header.e_phoff = offsetof(struct image, segment);
    image.header.e_phnum = SEGMENTS;
    image.segment[WHOLE] = segment_of(PT_LOAD, 0, sizeof image);
    image.segment[INTERPRETER] =
        segment_of(PT_INTERP, offsetof(struct image, loader), sizeof LOADER);
    image.segment[DYNAMIC] =
        segment_of(PT_DYNAMIC, offsetof(struct image, dynamic), sizeof image.dynamic);
    image.segment[NOTES] = segment_of(PT_NOTE, offsetof(struct image, note), sizeof image.note);
    memcpy(image.loader, LOADER, sizeof LOADER);
    for (int i = 0; i < 2; i++) {
        image.note[i].header.n_namesz = sizeof image.note[i].owner;
        image.note[i].header.n_descsz = sizeof image.note[i].text;
        memcpy(image.note[i].owner, "GNU", 4);
    }
    image.dynamic[0] = (ElfW(Dyn)){.d_tag = DT_NEEDED, .d_un.d_val = FIRST_NAME};
    image.dynamic[1] = (ElfW(Dyn)){.d_tag = DT_NEEDED, .d_un.d_val = SECOND_NAME};
    image.dynamic[2] =
        (ElfW(Dyn)){.d_tag = DT_STRTAB, .d_un.d_ptr = LOADED + offsetof(struct image, names)};
    strcpy(image.names + FIRST_NAME, "libc.so.6");
    strcpy(image.names + SECOND_NAME, "libm.so.6");
    return image;
}

#endif
