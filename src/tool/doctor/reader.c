/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The doctor looks for a reader: plugged in, with a driver, and known to pcscd. */
#include "doctor/doctor.h"

#include <string.h>

/* Drivers of the kernel for NFC, which keep pcscd away from a reader. */
static bool is_nfc_driver(const char *name)
{
    static const char *const names[] = {"pn533_usb", "pn533", "port100"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* What to call it. */
static const char *name_of(const struct usb_reader *reader)
{
    return reader->name[0] != '\0' ? reader->name : "USB";
}

/* Readers that pcscd has need not be at USB. */
void check_plugged(struct doctor *doctor)
{
    struct usb_reader list[USB_READERS_MAX];
    size_t count = usb_readers(list);
    for (size_t i = 0; i < count; i++)
        report(doctor, VERDICT_OK, TEXT(doctor_plugged), name_of(&list[i]), list[i].vendor,
               list[i].product);
    if (count == 0 && doctor->all_readers > 0)
        report(doctor, VERDICT_OK, TEXT(doctor_not_usb));
    else if (count == 0)
        report(doctor, VERDICT_WRONG, TEXT(doctor_not_plugged));
}

static void check_kernel_driver(struct doctor *doctor, const struct usb_reader *reader)
{
    const char *driver = reader->kernel_driver;
    report(doctor, VERDICT_WRONG, TEXT(doctor_nfc), name_of(reader), driver);
    remedy_as_root("sh -c 'echo blacklist %s >>/etc/modprobe.d/jpki-pkcs11.conf; modprobe -r %s'",
                   driver, driver);
}

static void check_one_driver(struct doctor *doctor, const struct usb_reader *reader)
{
    bool is_taken = is_nfc_driver(reader->kernel_driver);
    if (is_taken)
        check_kernel_driver(doctor, reader);
    switch (usb_support(reader)) {
    case USB_NO_DRIVERS:
        report(doctor, VERDICT_WRONG, TEXT(doctor_no_driver), JPKI_PCSC_DRIVERS);
        remedy_install(PACKAGE_CCID);
        break;
    case USB_UNKNOWN:
        report(doctor, VERDICT_WRONG, TEXT(doctor_unknown_reader), name_of(reader), reader->vendor,
               reader->product);
        break;
    case USB_SUPPORTED:
        if (!is_taken)
            report(doctor, VERDICT_OK, TEXT(doctor_driver), name_of(reader));
        break;
    }
}

void check_driver(struct doctor *doctor)
{
    struct usb_reader list[USB_READERS_MAX];
    size_t count = usb_readers(list);
    if (doctor->all_readers > 0 || count == 0) {
        report(doctor, VERDICT_OK, TEXT(doctor_drivers_work));
        return;
    }
    for (size_t i = 0; i < count; i++)
        check_one_driver(doctor, &list[i]);
}

void check_reader(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->reader_count; i++)
        report(doctor, VERDICT_OK, TEXT(doctor_reader), doctor->readers[i].status.name);
    if (doctor->reader_count > 0)
        return;
    if (doctor->all_readers > 0) {
        report(doctor, VERDICT_WRONG, TEXT(no_such_reader), doctor->tool->options[OPTION_READER]);
        return;
    }
    report(doctor, VERDICT_WRONG, TEXT(doctor_no_reader));
    remedy_restart();
}
