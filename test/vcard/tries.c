/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and setting the tries left, without commands. */
#include "card.h"

#include <errno.h>

int vcard_tries(struct vcard *card, const char *application, uint16_t file)
{
    pthread_mutex_lock(&card->mutex);
    const struct ef *ef = pin_find(card, application, file);
    int tries = ef == NULL ? -1 : ef->pin.tries;
    errno = ef == NULL ? ENOENT : errno;
    pthread_mutex_unlock(&card->mutex);
    return tries;
}

int vcard_set_tries(struct vcard *card, const char *application, uint16_t file, int tries)
{
    int status = -1;
    errno = ENOENT;
    pthread_mutex_lock(&card->mutex);
    struct ef *ef = pin_find(card, application, file);
    if (ef != NULL && (tries < 0 || tries > ef->profile->rule->tries)) {
        errno = EINVAL;
    } else if (ef != NULL) {
        ef->pin.tries = tries;
        ef->pin.verified = ef->pin.verified && tries > 0;
        status = state_save_pins(card);
    }
    pthread_mutex_unlock(&card->mutex);
    return status;
}

void vcard_each_pin(struct vcard *card,
                    void (*fn)(void *context, const char *application, uint16_t file, int tries,
                               int full, bool verified),
                    void *context)
{
    pthread_mutex_lock(&card->mutex);
    for (size_t i = 0; i < APPLICATIONS; i++) {
        const struct application *application = &card->application[i];
        for (size_t j = 0; j < application->profile->ef_count; j++) {
            const struct ef *ef = &application->ef[j];
            if (ef->profile->kind == EF_PIN)
                fn(context, application->profile->name, ef->profile->id, ef->pin.tries,
                   ef->profile->rule->tries, ef->pin.verified);
        }
    }
    pthread_mutex_unlock(&card->mutex);
}
