//! Model lines that were really built: how their VINs begin, and what EPA measured.
//!
//! `models.csv` was derived from the vPIC tables (WMI and positions 4 to 8 that decode to this model and body) and EPA's fuel
//! economy data (drive, transmission, engine, miles per gallon). Trims and the list price are ours and only plausible.

/// One model line of one model year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelLine<'a> {
    /// Model year.
    pub model_year: i64,
    /// Make, such as `Toyota`.
    pub make: &'a str,
    /// Model, such as `RAV4`.
    pub model: &'a str,
    /// Trims from plain to rich, separated by `|`.
    pub trims: &'a str,
    /// Characters 1 to 3 of the VIN.
    pub wmi: &'a str,
    /// Characters 4 to 8 of the VIN.
    pub descriptor: &'a str,
    /// `SUV`, `SEDAN` …
    pub body_style: &'a str,
    /// `FWD`, `AWD`, `4WD` …
    pub drivetrain: &'a str,
    /// `GASOLINE`, `HYBRID` …
    pub fuel: &'a str,
    /// `AUTOMATIC`, `CVT`, `MANUAL`.
    pub transmission: &'a str,
    /// Such as `2.5L I4`.
    pub engine: &'a str,
    /// Number of cylinders; empty for electric ones.
    pub cylinders: &'a str,
    /// Doors.
    pub doors: &'a str,
    /// Seats.
    pub seats: &'a str,
    /// EPA miles per gallon (or equivalent) in the city.
    pub mpg_city: &'a str,
    /// EPA miles per gallon on the highway.
    pub mpg_highway: &'a str,
    /// List price of the plainest trim in whole dollars.
    pub msrp: i64,
}

const MODELS: &str = include_str!("models.csv");

/// Every model line.
pub fn model_lines() -> Vec<ModelLine<'static>> {
    MODELS.lines().skip(1).filter_map(read).collect()
}

fn read(line: &'static str) -> Option<ModelLine<'static>> {
    let cells: Vec<&str> = line.split(',').collect();
    let [
        model_year,
        make,
        model,
        trims,
        wmi,
        descriptor,
        body_style,
        drivetrain,
        fuel,
        transmission,
        engine,
        cylinders,
        doors,
        seats,
        mpg_city,
        mpg_highway,
        _combined,
        msrp,
    ] = cells.as_slice()
    else {
        return None;
    };
    Some(ModelLine {
        model_year: model_year.parse().ok()?,
        make,
        model,
        trims,
        wmi,
        descriptor,
        body_style,
        drivetrain,
        fuel,
        transmission,
        engine,
        cylinders,
        doors,
        seats,
        mpg_city,
        mpg_highway,
        msrp: msrp.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        assert_eq!(model_lines().len(), MODELS.lines().count() - 1);
    }

    #[test]
    fn lines_begin_a_vin_of_2010_or_later() {
        for line in model_lines() {
            let text = format!("{}{}", line.wmi, line.descriptor);
            assert_eq!(text.len(), 8, "{text}");
            assert!(text.chars().all(|c| c.is_ascii_digit() || (c.is_ascii_uppercase() && !"IOQ".contains(c))), "{text}");
            // Position 7 tells 1980-2009 from 2010-2039 (49 CFR 565.15).
            assert!(line.descriptor.chars().nth(3).unwrap().is_ascii_uppercase(), "{text}");
            assert!((2017..=2026).contains(&line.model_year) && line.msrp > 10_000);
        }
    }
}
