/*
 * Programs are looked up in for every call that they make, and are large: some blocks are kept in
 * memory, the rest is read when it is asked for. The file is anybody's, so no number in it is
 * believed.
 */
#include "harness/capture/elf_image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/memory.h"

enum { SECTIONS_MAX = 512, NAME_BYTES = 64 };

struct elf_block {
    uint64_t number; /* in the file, from 1 on; 0: nothing is kept */
    uint32_t bytes;
    unsigned char data[ELF_BLOCK_BYTES];
};

size_t elf_image_read_through(const struct elf_image *image, uint64_t offset, void *into,
                              size_t size) {
    size_t done = 0;
    while (done < size && offset + done < image->size) {
        ssize_t got = pread(image->file, (char *)into + done, size - done, (off_t)(offset + done));
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

static const struct elf_block *block_of(struct elf_image *image, uint64_t offset) {
    uint64_t number = offset / ELF_BLOCK_BYTES;
    struct elf_block *block = &image->blocks[number % ELF_BLOCKS];
    if (block->number == number + 1)
        return block;
    block->number = number + 1;
    block->bytes = (uint32_t)elf_image_read_through(image, number * ELF_BLOCK_BYTES, block->data,
                                                    ELF_BLOCK_BYTES);
    return block;
}

static bool is_in_file(const struct elf_image *image, uint64_t offset, uint64_t size) {
    return offset <= image->size && size <= image->size - offset;
}

bool elf_image_read(struct elf_image *image, uint64_t offset, void *into, size_t size) {
    if (!is_in_file(image, offset, size))
        return false;
    for (size_t done = 0; done < size;) {
        const struct elf_block *block = block_of(image, offset + done);
        size_t at = (size_t)((offset + done) % ELF_BLOCK_BYTES);
        if (at >= block->bytes)
            return false; /* it was cut after it had been opened */
        size_t part = block->bytes - at;
        if (part > size - done)
            part = size - done;
        memcpy((char *)into + done, block->data + at, part);
        done += part;
    }
    return true;
}

bool elf_image_text(struct elf_image *image, uint64_t offset, char *into, size_t room) {
    size_t length = 0;
    while (length + 1 < room) {
        if (offset >= image->size)
            return false;
        const struct elf_block *block = block_of(image, offset);
        size_t at = (size_t)(offset % ELF_BLOCK_BYTES);
        if (at >= block->bytes)
            return false;
        size_t part = block->bytes - at;
        if (part > room - 1 - length)
            part = room - 1 - length;
        const void *end = memchr(block->data + at, '\0', part);
        if (end != NULL)
            part = (size_t)((const unsigned char *)end - (block->data + at));
        memcpy(into + length, block->data + at, part);
        length += part;
        offset += part;
        if (end != NULL)
            break;
    }
    into[length] = '\0';
    return true;
}

static void read_segments(struct elf_image *image, const Elf64_Ehdr *header) {
    Elf64_Phdr entry;
    for (unsigned i = 0; i < header->e_phnum && image->segment_count < ELF_SEGMENTS_MAX; i++) {
        if (!elf_image_read(image, header->e_phoff + i * sizeof entry, &entry, sizeof entry))
            return;
        if (entry.p_type != PT_LOAD && entry.p_type != PT_DYNAMIC && entry.p_type != PT_INTERP)
            continue;
        if (entry.p_offset > image->size)
            continue;
        uint64_t rest = image->size - entry.p_offset;
        image->segment[image->segment_count++] = (struct elf_segment){
            .type = entry.p_type,
            .flags = entry.p_flags,
            .offset = entry.p_offset,
            .address = entry.p_vaddr,
            .bytes = entry.p_filesz < rest ? entry.p_filesz : rest,
        };
    }
}

static void read_header(struct elf_image *image, const Elf64_Ehdr *header) {
    image->machine = header->e_machine;
    image->entry = header->e_entry;
    if (header->e_phentsize == sizeof(Elf64_Phdr))
        read_segments(image, header);
    if (!elf_image_address(image, header->e_phoff, &image->headers))
        image->headers = 0;
    if (header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shoff == 0)
        return;
    image->sections = header->e_shoff;
    image->section_count = header->e_shnum < SECTIONS_MAX ? header->e_shnum : SECTIONS_MAX;
    image->section_names = header->e_shstrndx;
}

bool elf_image_open(struct elf_image *image, int file) {
    struct stat status;
    Elf64_Ehdr header;
    *image = (struct elf_image){.file = file};
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size <= 0)
        return false;
    image->size = (uint64_t)status.st_size;
    if (elf_image_read_through(image, 0, &header, sizeof header) != sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB)
        return false;
    image->blocks = memory_zeroed(ELF_BLOCKS, sizeof *image->blocks);
    read_header(image, &header);
    return true;
}

void elf_image_close(struct elf_image *image) {
    free(image->blocks);
    image->blocks = NULL;
}

bool elf_image_offset(const struct elf_image *image, uint64_t address, uint64_t *offset) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];
        if (segment->type == PT_LOAD && address >= segment->address &&
            address - segment->address < segment->bytes) {
            *offset = segment->offset + (address - segment->address);
            return true;
        }
    }
    return false;
}

bool elf_image_address(const struct elf_image *image, uint64_t offset, uint64_t *address) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];
        if (segment->type == PT_LOAD && offset >= segment->offset &&
            offset - segment->offset < segment->bytes) {
            *address = segment->address + (offset - segment->offset);
            return true;
        }
    }
    return false;
}

static bool read_section(struct elf_image *image, unsigned index, Elf64_Shdr *header) {
    return index < image->section_count &&
           elf_image_read(image, image->sections + index * sizeof *header, header, sizeof *header);
}

bool elf_image_section(struct elf_image *image, const char *name, struct elf_section *section) {
    Elf64_Shdr names;
    Elf64_Shdr header;
    char text[NAME_BYTES];
    if (!read_section(image, image->section_names, &names))
        return false;
    for (unsigned i = 0; i < image->section_count; i++) {
        if (!read_section(image, i, &header))
            return false;
        if (header.sh_type == SHT_NOBITS || !is_in_file(image, header.sh_offset, header.sh_size) ||
            !elf_image_text(image, names.sh_offset + header.sh_name, text, sizeof text) ||
            strcmp(text, name) != 0)
            continue;
        *section = (struct elf_section){header.sh_offset, header.sh_addr, header.sh_size};
        return true;
    }
    return false;
}
