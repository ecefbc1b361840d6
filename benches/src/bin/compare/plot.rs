//! Growth, drawn: a line for each store, both axes logarithmic.

use std::path::Path;

use plotters::prelude::*;

use crate::growth::{Grown, OPERATIONS};

/// Width and height of a drawing.
const PLOT: (u32, u32) = (640, 400);

/// The file's name of an operation.
pub(crate) fn file(operation: &str) -> String {
    let name: String = operation.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    format!("growth-{}.svg", name.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-"))
}

/// A drawing for each operation that was measured in several sizes.
pub(crate) fn write(grown: &[Grown], folder: &Path) {
    let many: Vec<_> = grown.iter().filter(|grown| grown.rooms > 1).collect();
    if many.is_empty() {
        return;
    }
    std::fs::create_dir_all(folder).unwrap();
    for (nth, (name, _)) in OPERATIONS.iter().enumerate() {
        draw(&many, nth, name, &folder.join(file(name))).unwrap();
    }
}

fn draw(grown: &[&Grown], nth: usize, name: &str, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(path, PLOT).into_drawing_area();
    area.fill(&WHITE)?;
    let all = || grown.iter().flat_map(|grown| &grown.sizes);
    let most = all().map(|size| size.figures[nth]).fold(0.0, f64::max);
    let least = all().map(|size| size.figures[nth]).fold(f64::INFINITY, f64::min);
    let sizes = all().map(|size| size.messages as f64);
    let (small, large) = sizes.fold((f64::INFINITY, 0.0_f64), |(a, b), size| (a.min(size), b.max(size)));
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{name}, µs by messages stored"), ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(50)
        .build_cartesian_2d((small..large).log_scale(), (least / 2.0..most * 2.0).log_scale())?;
    chart.configure_mesh().light_line_style(TRANSPARENT).draw()?;
    for (color, grown) in grown.iter().enumerate() {
        let color = Palette99::pick(color).to_rgba();
        let points = grown.sizes.iter().map(|size| (size.messages as f64, size.figures[nth]));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(grown.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
