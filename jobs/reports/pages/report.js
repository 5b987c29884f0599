"use strict";
// Figures and days in the reader's locale, and the charts. A figure is written from its exact value, as text: a number
// of JavaScript holds 15 digits.
const locale = navigator.languages.length ? navigator.languages : "en";
const oneDecimal = {minimumFractionDigits: 1, maximumFractionDigits: 1};
const twoDecimals = {minimumFractionDigits: 2, maximumFractionDigits: 2};
const formats = {
  count: {maximumFractionDigits: 0},
  change: {maximumFractionDigits: 0, signDisplay: "exceptZero"},
  money: twoDecimals,
  amount: {minimumFractionDigits: 2, maximumFractionDigits: 8},
  share: {style: "percent", ...oneDecimal},
  rate: {style: "percent", ...twoDecimals},
  decimal: oneDecimal,
  ratio: twoDecimals,
  index: {minimumFractionDigits: 3, maximumFractionDigits: 3},
};
for (const kind in formats) formats[kind] = new Intl.NumberFormat(locale, formats[kind]);
for (const element of document.querySelectorAll("data[data-kind]")) {
  element.textContent = formats[element.dataset.kind].format(element.value);
}
const forms = {
  day: new Intl.DateTimeFormat(locale, {dateStyle: "long", timeZone: "UTC"}),
  month: new Intl.DateTimeFormat(locale, {year: "numeric", month: "long", timeZone: "UTC"}),
};
for (const element of document.querySelectorAll("time[data-form]")) {
  element.textContent = forms[element.dataset.form].format(new Date(element.dateTime));
}

function numberLocale() {
  const parts = new Intl.NumberFormat(locale, {minimumFractionDigits: 1, useGrouping: true}).formatToParts(-123456789.5);
  const of = (type) => (parts.find((part) => part.type === type) || {value: ""}).value;
  const groups = parts.filter((part) => part.type === "integer").map((part) => part.value.length).reverse();
  return {
    decimal: of("decimal") || ".", thousands: of("group"), minus: of("minusSign") || "-",
    grouping: groups.length > 1 ? groups.slice(0, -1) : [3], currency: ["", ""],
    percent: /\s%/.test(new Intl.NumberFormat(locale, {style: "percent"}).format(0.5)) ? "\u00a0%" : "%",
  };
}

function timeLocale() {
  const name = (options, date) => new Intl.DateTimeFormat(locale, {...options, timeZone: "UTC"}).format(date);
  const months = [...Array(12).keys()].map((month) => new Date(Date.UTC(2021, month, 15)));
  const week = [...Array(7).keys()].map((day) => new Date(Date.UTC(2021, 7, 1 + day)));
  return {
    dateTime: "%x, %X", date: "%x", time: "%X", periods: ["AM", "PM"],
    months: months.map((month) => name({month: "long"}, month)),
    shortMonths: months.map((month) => name({month: "short"}, month)),
    days: week.map((day) => name({weekday: "long"}, day)),
    shortDays: week.map((day) => name({weekday: "short"}, day)),
  };
}

const options = {
  actions: false, renderer: "svg", mode: "vega-lite", tooltip: {theme: "custom"},
  formatLocale: numberLocale(), timeFormatLocale: timeLocale(),
};
const specifications = JSON.parse(document.getElementById("charts").textContent);
Promise.all([...document.querySelectorAll("[data-chart]")].map(
  (place) => vegaEmbed(place, specifications[place.dataset.chart], options),
)).then(() => { document.documentElement.dataset.drawn = String(Math.round(performance.now())); });
