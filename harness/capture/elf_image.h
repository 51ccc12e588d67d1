/* A program file (ELF, 64 bit, little endian) read piece by piece: nothing of it is mapped, since
 * whoever may write the file could cut it under our hands. Every piece is checked against the
 * file's size; what is not there is not read. Formats: elf(5). */
#ifndef PORTWITNESS_CAPTURE_ELF_IMAGE_H
#define PORTWITNESS_CAPTURE_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_SEGMENTS_MAX = 32, ELF_BLOCKS = 64, ELF_BLOCK_BYTES = 4096 };

struct elf_segment {
    uint32_t type;  /* PT_LOAD, ... */
    uint32_t flags; /* PF_R, PF_W, PF_X */
    uint64_t offset;
    uint64_t address; /* as linked */
    uint64_t bytes;   /* in the file; never beyond its end */
};

struct elf_section {
    uint64_t offset;
    uint64_t address;
    uint64_t bytes;
};

struct elf_block;

struct elf_image {
    int file;
    uint64_t size;
    uint16_t machine; /* EM_X86_64, EM_AARCH64, ... */
    uint64_t entry;   /* as linked */
    uint64_t headers; /* address of the program headers as linked, 0: not loaded */
    unsigned segment_count;
    struct elf_segment segment[ELF_SEGMENTS_MAX];
    uint64_t sections; /* where their headers are, 0: there are none */
    unsigned section_count;
    unsigned section_names; /* index of the section with their names */
    struct elf_block *blocks;
};

/* Reads the headers of the file, which stays open and the caller's. false where it is no such
 * program. */
bool elf_image_open(struct elf_image *image, int file);

/* Frees what the image holds; the file stays open. */
void elf_image_close(struct elf_image *image);

/* Copies the bytes at that offset of the file. false where not all of them are there. */
bool elf_image_read(struct elf_image *image, uint64_t offset, void *into, size_t size);

/* As many of them as are there, past the blocks that are kept: for what is read through once. */
size_t elf_image_read_through(const struct elf_image *image, uint64_t offset, void *into,
                              size_t size);

/* The text at that offset up to its NUL, cut where there is no room. false where it is not there.
 */
bool elf_image_text(struct elf_image *image, uint64_t offset, char *into, size_t room);

/* The offset in the file of what is loaded at an address. false where nothing is. */
bool elf_image_offset(const struct elf_image *image, uint64_t address, uint64_t *offset);

/* The address at which that offset is loaded. false where it is not. */
bool elf_image_address(const struct elf_image *image, uint64_t offset, uint64_t *address);

/* The section of that name; false where there is none, or where it has nothing in the file. */
bool elf_image_section(struct elf_image *image, const char *name, struct elf_section *section);

#endif
