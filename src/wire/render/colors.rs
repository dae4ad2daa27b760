//! The colours of names: a name always has the same one, and all colours can be read on dark and on
//! light screens.

use crate::values::terminal::Colors;

/// The colours of names among xterm's 256: each has a contrast of at least 3.6 against white and
/// against black, and any two differ by 15 or more (ΔE of CIEDE2000).
const MANY: [u8; 14] = [160, 166, 94, 101, 64, 29, 66, 32, 26, 99, 96, 164, 198, 131];

/// The colours of names among the eight of ECMA-48: red, green, magenta, cyan. Yellow and blue are
/// hard to read on some screens.
const BASIC: [u8; 4] = [31, 32, 35, 36];

/// The control sequence that sets the colour of a name, which is the same in upper and lower case;
/// `None` if there are no colours.
pub(super) fn color(nick: &str, colors: Colors) -> Option<String> {
    let pick = |count: usize| {
        // FNV-1a gives the same colour in every process and release.
        let folded = nick.chars().flat_map(char::to_lowercase);
        let hash = folded.fold(0x811C_9DC5_u32, |hash, c| (hash ^ u32::from(c)).wrapping_mul(0x0100_0193));
        (hash ^ hash >> 16) as usize % count
    };
    match colors {
        Colors::None => None,
        Colors::Basic => Some(format!("\x1b[{}m", BASIC[pick(BASIC.len())])),
        Colors::Many => Some(format!("\x1b[38;5;{}m", MANY[pick(MANY.len())])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_colour_whatever_its_case() {
        assert_eq!(color("Ann", Colors::Many), color("ann", Colors::Many));
        assert_eq!(color("ann", Colors::None), None);
        let names: Vec<_> = (0..200).map(|number| format!("n{number}")).collect();
        let used: std::collections::BTreeSet<_> = names.iter().filter_map(|name| color(name, Colors::Many)).collect();
        assert_eq!(used.len(), MANY.len(), "every colour is used");
    }

    /// Linear red, green and blue of a colour in xterm's cube of 216 (16 to 231).
    fn light(color: u8) -> [f64; 3] {
        const LEVELS: [f64; 6] = [0.0, 95.0, 135.0, 175.0, 215.0, 255.0];
        let cube = usize::from(color - 16);
        [cube / 36, cube / 6 % 6, cube % 6].map(|level| {
            let part = LEVELS[level] / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance(color: u8) -> f64 {
        let [red, green, blue] = light(color);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The colour in CIE L*a*b*, for the white point of sRGB (D65).
    fn lab(color: u8) -> [f64; 3] {
        let [red, green, blue] = light(color);
        let x = (0.412_456 * red + 0.357_576 * green + 0.180_438 * blue) / 0.950_47;
        let y = 0.212_673 * red + 0.715_152 * green + 0.072_175 * blue;
        let z = (0.019_334 * red + 0.119_192 * green + 0.950_304 * blue) / 1.088_83;
        let root = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
        [116.0 * root(y) - 16.0, 500.0 * (root(x) - root(y)), 200.0 * (root(y) - root(z))]
    }

    /// The difference of two colours to the eye: ΔE of CIEDE2000.
    fn difference([l1, a1, b1]: [f64; 3], [l2, a2, b2]: [f64; 3]) -> f64 {
        let seventh = |chroma: f64| (chroma.powi(7) / (chroma.powi(7) + 25_f64.powi(7))).sqrt();
        let stretch = 1.5 - 0.5 * seventh(f64::midpoint(a1.hypot(b1), a2.hypot(b2)));
        let (a1, a2) = (a1 * stretch, a2 * stretch);
        let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
        let hue = |a: f64, b: f64| b.atan2(a).to_degrees().rem_euclid(360.0);
        let (h1, h2) = (hue(a1, b1), hue(a2, b2));
        let turn = (h2 - h1 + 540.0).rem_euclid(360.0) - 180.0;
        let (l, c, h) = (f64::midpoint(l1, l2), f64::midpoint(c1, c2), (h1 + turn / 2.0).rem_euclid(360.0));
        let wave = |times: f64, shift: f64| (times * h + shift).to_radians().cos();
        let t = 1.0 - 0.17 * wave(1.0, -30.0) + 0.24 * wave(2.0, 0.0) + 0.32 * wave(3.0, 6.0) - 0.2 * wave(4.0, -63.0);
        let lightness = (l2 - l1) / (1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt());
        let chroma = (c2 - c1) / (1.0 + 0.045 * c);
        let hue = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin() / (1.0 + 0.015 * c * t);
        let bend = (60.0 * (-((h - 275.0) / 25.0).powi(2)).exp()).to_radians().sin();
        (lightness.powi(2) + chroma.powi(2) + hue.powi(2) - 2.0 * seventh(c) * bend * chroma * hue).sqrt()
    }

    #[test]
    fn names_can_be_read_on_black_and_on_white_and_are_told_apart() {
        // A check of the formula itself: 27 and 63 differ by 6.4.
        assert!((difference(lab(27), lab(63)) - 6.4).abs() < 0.05, "{}", difference(lab(27), lab(63)));
        for (number, color) in MANY.iter().enumerate() {
            let light = luminance(*color);
            assert!(1.05 / (light + 0.05) >= 3.6 && (light + 0.05) / 0.05 >= 3.6, "{color}: {light}");
            for other in &MANY[..number] {
                let difference = difference(lab(*color), lab(*other));
                assert!(difference >= 15.0, "{color} and {other} differ by {difference:.1}");
            }
        }
    }
}
