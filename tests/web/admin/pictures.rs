//! Pictures of concerts: sent with the form or through the API, re-encoded, shown, replaced, copied and removed.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use reqwest::blocking::Client;
use serde_json::Value;
use testkit::server::techkraft;

use super::concerts::{add_type, create, post};
use super::tokens::make_token;
use crate::support::{TestApp, between, browser, header};

const SECRET: &[u8] = b"51.4778 N 0.0015 W";

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
/// One pixel.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).expect("a picture");
    file.into_inner()
}

/// Red above, blue below.
fn two_colors(width: u32, height: u32) -> DynamicImage {
    let color = |y| if y < height / 2 { Rgb([250, 20, 20]) } else { Rgb([20, 20, 250]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |_, y| color(y)))
}

/// A JPEG that a camera took on its side, with a location in its metadata.
fn of_camera(width: u32, height: u32) -> Vec<u8> {
    let plain = file(&two_colors(width, height), ImageFormat::Jpeg);
    // TIFF, little endian: one entry, orientation 6.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(SECRET);
    let length = u16::try_from(exif.len() + 2).expect("a short one").to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

/// An animation of two frames.
fn moving_webp() -> Vec<u8> {
    let still = file(&two_colors(64, 64), ImageFormat::WebP);
    let pixels = &still[12..];
    let chunk = |name: &[u8], content: &[u8]| {
        let length = u32::try_from(content.len()).expect("a short one").to_le_bytes();
        let odd = if content.len() % 2 == 1 { &b"\0"[..] } else { b"" };
        [name, &length, content, odd].concat()
    };
    let frame = chunk(b"ANMF", &[&[0, 0, 0, 0, 0, 0, 63, 0, 0, 63, 0, 0, 100, 0, 0, 0][..], pixels].concat());
    let head = chunk(b"VP8X", &[2, 0, 0, 0, 63, 0, 0, 63, 0, 0]);
    let content = [&b"WEBP"[..], &head, &chunk(b"ANIM", &[0; 6]), &frame, &frame].concat();
    chunk(b"RIFF", &content)
}

/// Sends a form with a file, as a browser does.
fn send(
    app: &TestApp,
    organizer: &Client,
    path: &str,
    file: &[u8],
    fields: &[(&str, &str)],
) -> (u16, String) {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let part = "--edge\r\nContent-Disposition: form-data; name=\"image\"; filename=\"<b>.html\"\r\nContent-Type: text/html\r\n\r\n";
    body.extend_from_slice(part.as_bytes());
    body.extend_from_slice(file);
    // Fields after the file are read too.
    let rest = "\r\n--edge\r\nContent-Disposition: form-data; name=\"age_limit\"\r\n\r\n17\r\n--edge--\r\n";
    body.extend_from_slice(rest.as_bytes());
    let post = organizer.post(app.url(path)).header("content-type", "multipart/form-data; boundary=edge");
    let sent = post.body(body).send().expect("an answer");
    (sent.status().as_u16(), sent.text().expect("a page"))
}

fn load(app: &TestApp, path: &str) -> (DynamicImage, Vec<u8>) {
    let answer = app.get(path);
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "image/jpeg"), "{path}");
    assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    let bytes = answer.bytes().expect("a file").to_vec();
    (image::load_from_memory(&bytes).expect("a picture"), bytes)
}

#[test]
fn a_picture_is_written_again_upright_and_without_what_the_camera_noted() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let event = create(&app, &organizer, &[]);
    let edit = format!("{event}/edit");
    add_type(&app, &organizer, &event, "Seat", "10", "5");
    assert_eq!(post(&app, &organizer, &format!("{event}/publication"), &[]).status(), 303);
    let (status, page) =
        send(&app, &organizer, &edit, &of_camera(2000, 1000), &[("image_alt", "Two colors")]);
    assert_eq!(status, 303, "{page}");
    assert_eq!(app.count("events WHERE age_limit = 17"), 1);
    assert_eq!(app.count("audit_log WHERE details LIKE '%17%picture: changed%'"), 1);

    let shown = app.get("/events/zoe-the-cafe").text().expect("a page");
    let tag = between(&shown, "<div class=\"hero__picture\"><img ", ">");
    assert!(tag.contains("width=\"800\" height=\"1600\" alt=\"Two colors\""), "{tag}");
    let (large, bytes) = load(&app, between(tag, "src=\"", "\""));
    assert_eq!((large.width(), large.height()), (800, 1600));
    assert!(!bytes.windows(SECRET.len()).any(|it| it == SECRET) && !bytes.windows(4).any(|it| it == b"Exif"));
    // Turned by a quarter: the top is at the right now.
    let (left, right) = (large.to_rgb8().get_pixel(100, 800).0, large.to_rgb8().get_pixel(700, 800).0);
    assert!(right[0] > 200 && right[2] < 80 && left[2] > 200 && left[0] < 80, "{left:?} {right:?}");
    let small = between(tag, "srcset=\"", " 480w");
    assert_eq!(load(&app, small).0.width(), 480);
    let og = between(&shown, "property=\"og:image\" content=\"", "\"");
    let path = og.strip_prefix(&app.url("")).expect("an address of ours").to_owned();
    let social = load(&app, &path).0;
    assert_eq!((social.width(), social.height()), (1200, 630));
    assert!(between(&shown, "ld+json\">", "</script>").contains(og));
    for path in ["/pictures/x-480.jpg", &small.replace("-480", "-481"), &small.replace(".jpg", ".png")] {
        assert_eq!(app.get(path).status(), 404, "{path}");
    }

    // A copied concert has the picture too, and keeps it when the original loses it.
    let form = [("from", "zoe-the-cafe"), ("starts_at", "2028-09-04T20:00")];
    let copied = post(&app, &organizer, "/admin/events/new", &form);
    let copy = header(&copied, "location").to_owned();
    assert_eq!(post(&app, &organizer, &edit, &[("remove_image", "true")]).status(), 303);
    assert!(!app.get("/events/zoe-the-cafe").text().expect("a page").contains("hero__picture"));
    load(&app, &path);
    assert_eq!(app.count("pictures"), 3);
    let (status, _) =
        send(&app, &organizer, &format!("{copy}/edit"), &file(&two_colors(300, 200), ImageFormat::Png), &[]);
    assert_eq!((status, app.count("pictures")), (303, 2), "the old one is deleted with its last concert");
}

#[test]
fn what_is_no_picture_is_refused_beside_its_field_and_nothing_typed_is_lost() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let event = create(&app, &organizer, &[]);
    let edit = format!("{event}/edit");
    let png = file(&two_colors(64, 64), ImageFormat::Png);
    let mut moving = png.clone();
    let control = [&b"acTL"[..], &2u32.to_be_bytes(), &0u32.to_be_bytes()].concat();
    let chunk = [&8u32.to_be_bytes()[..], &control, &crc_of(&control)].concat();
    moving.splice(33..33, chunk);
    let jpeg = file(&two_colors(64, 64), ImageFormat::Jpeg);
    for (sent, status, words) in [
        (b"<script>alert(1)</script>".to_vec(), 422, "Use a JPEG, PNG or WebP file."),
        (GIF.to_vec(), 422, "Use a JPEG, PNG or WebP file."),
        (SVG.to_vec(), 422, "Use a JPEG, PNG or WebP file."),
        (png[..png.len() / 2].to_vec(), 422, "It may be damaged"),
        (jpeg[..jpeg.len() / 2].to_vec(), 422, "It may be damaged"),
        (moving_webp(), 422, "This picture is animated."),
        (claiming(&png, 20_000, 20_000), 422, "more than 40 megapixels"),
        (claiming(&png, 25_000, 100), 422, "longer than 20,000 pixels"),
        (moving, 422, "This picture is animated."),
        (vec![0xff; 5 * 1024 * 1024 + 1], 413, "larger than 5 MB"),
    ] {
        let fields = [("tagline", "Typed & kept"), ("venue", "The Barn")];
        let (answer, page) = send(&app, &organizer, &edit, &sent, &fields);
        assert_eq!(answer, status, "{words}");
        let error = between(&page, "id=\"image-error\">", "</p>");
        assert!(error.contains(words) && page.contains("Typed &#38; kept"), "{page}");
        assert!(page.contains("value=\"The Barn\""), "{page}");
    }
    // A picture is sent with an invalid field: the browser does not keep the file, so the page asks for it again.
    let (status, page) = send(&app, &organizer, &edit, &png, &[("name", "")]);
    assert!(status == 422 && page.contains("Choose the picture again."), "{page}");
    assert_eq!(app.count("pictures"), 0);
    assert_eq!(app.count("events WHERE tagline = 'Typed & kept'"), 0);

    // An account that may not edit may not upload either.
    for role in ["box_office", "gate"] {
        assert_eq!(send(&app, &app.member(role), &edit, &png, &[]).0, 403, "{role}");
    }
    assert_eq!(app.count("pictures"), 0);
    // Other forms accept no files.
    assert_eq!(send(&app, &organizer, &format!("{event}/pause"), b"x", &[("paused", "true")]).0, 415);
}

/// The same PNG, whose header claims another size.
fn claiming(png: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = png.to_vec();
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc(&file[12..29]).to_be_bytes();
    file[29..33].copy_from_slice(&crc);
    file
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn crc_of(bytes: &[u8]) -> [u8; 4] {
    crc(bytes).to_be_bytes()
}

#[test]
fn a_restored_backup_has_the_pictures() {
    let app = TestApp::spawn();
    let edit = "/admin/events/midnight-parade/edit";
    let organizer = app.organizer();
    // Send the unchanged form, with a picture chosen.
    let form = organizer.get(app.url(edit)).send().expect("an answer").text().expect("a page");
    assert!(
        form.contains("enctype=\"multipart/form-data\"") && form.contains("type=\"file\" name=\"image\"")
    );
    let sent = send(&app, &organizer, edit, &file(&two_colors(500, 400), ImageFormat::Png), &[]);
    assert_eq!(sent.0, 303, "{}", sent.1);
    let path =
        between(&app.get("/").text().expect("a page"), "<div class=\"hero__picture\"><img src=\"", "\"")
            .to_owned();
    let bytes = load(&app, &path).1;

    let backup = app.database.folder.path().join("a.backup");
    assert!(techkraft(&app.database).arg("backup").arg(&backup).status().expect("it runs").success());
    let place = app.database.empty_place();
    assert!(techkraft(&place).arg("restore").arg(&backup).status().expect("it runs").success());
    let restored = testkit::server::Server::start(&place, &[]);
    let url = format!("http://{}{path}", restored.address);
    let answer = browser().get(url).send().expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.bytes().expect("a file").to_vec(), bytes);
}

#[test]
fn a_program_sets_and_removes_the_picture() {
    let app = TestApp::spawn();
    let token = make_token(&app, &app.organizer(), "Tour planner", &["events:write"]);
    let url = app.url("/api/v1/events/midnight-parade/image");
    let put = |kind: &str, file: Vec<u8>| {
        let put = browser().put(&url).bearer_auth(&token).header("content-type", kind).body(file);
        let answer = put.send().expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().expect("JSON"))
    };
    // The left half is transparent, and shows the dark background.
    let clear =
        RgbaImage::from_fn(700, 500, |x, _| image::Rgba([255, 255, 255, if x < 350 { 0 } else { 255 }]));
    let (status, event) = put("image/webp", file(&DynamicImage::ImageRgba8(clear), ImageFormat::WebP));
    assert_eq!((status, &event["image"]["width"]), (200, &700.into()), "{event}");
    assert_eq!(app.count("audit_log WHERE details = 'picture: changed'"), 1);
    let shown = load(&app, event["image"]["url"].as_str().expect("an address")).0.to_rgb8();
    assert!(shown.get_pixel(100, 250).0[0] < 40 && shown.get_pixel(600, 250).0[0] > 240);
    assert_eq!(put("image/png", b"no picture".to_vec()).0, 415);
    assert_eq!(put("image/png", vec![0; 5 * 1024 * 1024 + 1]).0, 413);
    assert_eq!(put("text/html", b"x".to_vec()).0, 415);
    // Noise does not compress, so the file is as large as a photograph.
    let mut seed = 1_u32;
    let noise = RgbImage::from_fn(1100, 900, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(seed >> 24) as u8, (seed >> 16) as u8, (seed >> 8) as u8])
    });
    let photograph = file(&DynamicImage::ImageRgb8(noise), ImageFormat::Png);
    assert!((2_000_000..5_000_000).contains(&photograph.len()), "{}", photograph.len());
    assert_eq!(put("image/png", photograph.clone()).0, 200);
    let form = "/admin/events/midnight-parade/edit";
    assert_eq!(send(&app, &app.organizer(), form, &photograph, &[]).0, 303);
    let removed = browser().delete(&url).bearer_auth(&token).send().expect("an answer");
    assert_eq!(removed.json::<Value>().expect("JSON")["image"], Value::Null);
    assert_eq!(app.count("pictures"), 0);
    assert_eq!(browser().delete(&url).send().expect("an answer").status(), 401);
}
