/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state directory: what a card keeps without power. See vcard_make for its files. */
#include "card.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX 16384

void state_ef_name(const struct application_profile *application, const struct ef_profile *ef,
                   char *name, size_t size)
{
    const char *suffix = ef->kind == EF_KEY ? ".key" : "";
    snprintf(name, size, "%s-%04X%s", application->name, ef->id, suffix);
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        bytes += done;
        len -= (size_t)done;
    }
    return 0;
}

/* Under another name first, so that a reader, also after a kill, finds the old file or the new one.
 */
int state_write(const char *dir, const char *name, const void *bytes, size_t len)
{
    char path[PATH_MAX], fresh[PATH_MAX + 8];
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int status = write_all(fd, bytes, len);
    if (close(fd) != 0)
        status = -1;
    if (status == 0)
        status = rename(fresh, path);
    if (status != 0)
        unlink(fresh);
    return status;
}

/* A whole file; NULL and errno when it cannot be read. The caller frees it; a 0 byte follows it. */
static uint8_t *read_file(const char *dir, const char *name, size_t *len)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = calloc(1, FILE_SIZE_MAX + 1);
    *len = bytes == NULL ? 0 : fread(bytes, 1, FILE_SIZE_MAX, file);
    bool failed = bytes == NULL || ferror(file);
    fclose(file);
    if (failed) {
        free(bytes);
        errno = EIO;
        return NULL;
    }
    return bytes;
}

static int load_efs(struct application *application, const char *dir)
{
    char name[64];
    for (size_t i = 0; i < application->profile->ef_count; i++) {
        struct ef *ef = &application->ef[i];
        enum ef_kind kind = ef->profile->kind;
        if (kind == EF_PIN || kind == EF_TOKEN_INFO || kind == EF_CERTIFICATE_MAP)
            continue;
        state_ef_name(application->profile, ef->profile, name, sizeof(name));
        ef->content = read_file(dir, name, &ef->content_len);
        if (ef->content == NULL)
            return -1;
    }
    return 0;
}

static int each_line(struct vcard *card, const char *dir, const char *name,
                     int (*load)(struct vcard *card, const char *line))
{
    size_t len = 0;
    char *text = (char *)read_file(dir, name, &len);
    if (text == NULL)
        return -1;
    int status = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && status == 0;
         line = strtok_r(NULL, "\n", &rest))
        status = load(card, line);
    free(text);
    if (status != 0)
        errno = EBADMSG;
    return status;
}

/* A line of the file `pins`: application, file id, PIN, tries left. */
static int load_pin(struct vcard *card, const char *line)
{
    char application[16], value[PIN_MAX + 1];
    unsigned id = 0;
    int tries = 0;
    if (sscanf(line, "%15s %4x %16s %2d", application, &id, value, &tries) != 4)
        return -1;
    struct ef *ef = pin_find(card, application, (uint16_t)id);
    if (ef == NULL || tries < 0 || tries > ef->profile->rule->tries)
        return -1;
    ef->pin.len = strlen(value);
    memcpy(ef->pin.value, value, ef->pin.len);
    ef->pin.tries = tries;
    ef->found = ef->pin;
    return 0;
}

/* A line of the file `card`: its serial number, or a switch that it has from the start. */
static int load_card_line(struct vcard *card, const char *line)
{
    if (strncmp(line, "set ", 4) == 0)
        return switches_set(&card->switches, line + 4);
    return sscanf(line, "serial %16[^\n]", card->serial) == 1 ? 0 : -1;
}

static int load_card(struct vcard *card, const char *dir)
{
    int status = each_line(card, dir, "card", load_card_line);
    card->found = card->switches;
    return status;
}

int state_load(struct vcard *card, const char *dir)
{
    if (load_card(card, dir) != 0)
        return -1;
    for (size_t i = 0; i < APPLICATIONS; i++) {
        if (load_efs(&card->application[i], dir) != 0)
            return -1;
    }
    return each_line(card, dir, "pins", load_pin);
}

static void print_pins(const struct vcard *card, FILE *out)
{
    for (size_t i = 0; i < APPLICATIONS; i++) {
        const struct application *application = &card->application[i];
        for (size_t j = 0; j < application->profile->ef_count; j++) {
            const struct ef *ef = &application->ef[j];
            if (ef->profile->kind == EF_PIN)
                fprintf(out, "%s %04X %.*s %d\n", application->profile->name, ef->profile->id,
                        (int)ef->pin.len, (const char *)ef->pin.value, ef->pin.tries);
        }
    }
}

int state_save_pins(const struct vcard *card)
{
    if (!switch_on(&card->switches, SWITCH_PERSIST))
        return 0;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return -1;
    print_pins(card, out);
    int status = fclose(out);
    if (status == 0)
        status = state_write(card->dir, "pins", text, len);
    free(text);
    return status;
}
