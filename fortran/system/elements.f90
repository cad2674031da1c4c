! SPDX-License-Identifier: MIT
!> The elements: symbols, standard atomic weights, covalent radii, and the element an atom name stands for.
module fennix_elements
   use fennix_kinds, only : dp
   use fennix_strings, only : is_letter, lower
   implicit none
   private
   public :: max_number, symbol, standard_mass, covalent_radius, atomic_number, element_from_name

   !> Largest atomic number
   integer, parameter :: max_number = 118

   character(len=2), parameter :: symbols(max_number) = [character(len=2) :: &
      & "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", &
      & "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", &
      & "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", &
      & "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", &
      & "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", &
      & "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", &
      & "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"]

   !> IUPAC abridged standard atomic weights of 2021, g/mol; zero for elements without one
   real(dp), parameter :: masses(max_number) = [real(dp) :: &
      & 1.008_dp, 4.0026_dp, 6.94_dp, 9.0122_dp, 10.81_dp, 12.011_dp, 14.007_dp, 15.999_dp, 18.998_dp, 20.180_dp, &
      & 22.990_dp, 24.305_dp, 26.982_dp, 28.085_dp, 30.974_dp, 32.06_dp, 35.45_dp, 39.95_dp, 39.098_dp, 40.078_dp, &
      & 44.956_dp, 47.867_dp, 50.942_dp, 51.996_dp, 54.938_dp, 55.845_dp, 58.933_dp, 58.693_dp, 63.546_dp, 65.38_dp, &
      & 69.723_dp, 72.630_dp, 74.922_dp, 78.971_dp, 79.904_dp, 83.798_dp, 85.468_dp, 87.62_dp, 88.906_dp, 91.224_dp, &
      & 92.906_dp, 95.95_dp, 0.0_dp, 101.07_dp, 102.91_dp, 106.42_dp, 107.87_dp, 112.41_dp, 114.82_dp, 118.71_dp, &
      & 121.76_dp, 127.60_dp, 126.90_dp, 131.29_dp, 132.91_dp, 137.33_dp, 138.91_dp, 140.12_dp, 140.91_dp, 144.24_dp, &
      & 0.0_dp, 150.36_dp, 151.96_dp, 157.25_dp, 158.93_dp, 162.50_dp, 164.93_dp, 167.26_dp, 168.93_dp, 173.05_dp, &
      & 174.97_dp, 178.49_dp, 180.95_dp, 183.84_dp, 186.21_dp, 190.23_dp, 192.22_dp, 195.08_dp, 196.97_dp, 200.59_dp, &
      & 204.38_dp, 207.2_dp, 208.98_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 232.04_dp, 231.04_dp, &
      & 238.03_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, &
      & 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp]

   integer, parameter :: max_radius = 96
   !> Covalent radii of Cordero et al., Dalton Trans. 2008, 2832 (sp3 carbon, low-spin metals), Å
   real(dp), parameter :: radii(max_radius) = [real(dp) :: &
      & 0.31_dp, 0.28_dp, 1.28_dp, 0.96_dp, 0.84_dp, 0.76_dp, 0.71_dp, 0.66_dp, 0.57_dp, 0.58_dp, 1.66_dp, 1.41_dp, &
      & 1.21_dp, 1.11_dp, 1.07_dp, 1.05_dp, 1.02_dp, 1.06_dp, 2.03_dp, 1.76_dp, 1.70_dp, 1.60_dp, 1.53_dp, 1.39_dp, &
      & 1.39_dp, 1.32_dp, 1.26_dp, 1.24_dp, 1.32_dp, 1.22_dp, 1.22_dp, 1.20_dp, 1.19_dp, 1.20_dp, 1.20_dp, 1.16_dp, &
      & 2.20_dp, 1.95_dp, 1.90_dp, 1.75_dp, 1.64_dp, 1.54_dp, 1.47_dp, 1.46_dp, 1.42_dp, 1.39_dp, 1.45_dp, 1.44_dp, &
      & 1.42_dp, 1.39_dp, 1.39_dp, 1.38_dp, 1.39_dp, 1.40_dp, 2.44_dp, 2.15_dp, 2.07_dp, 2.04_dp, 2.03_dp, 2.01_dp, &
      & 1.99_dp, 1.98_dp, 1.98_dp, 1.96_dp, 1.94_dp, 1.92_dp, 1.92_dp, 1.89_dp, 1.90_dp, 1.87_dp, 1.87_dp, 1.75_dp, &
      & 1.70_dp, 1.62_dp, 1.51_dp, 1.44_dp, 1.41_dp, 1.36_dp, 1.36_dp, 1.32_dp, 1.45_dp, 1.46_dp, 1.48_dp, 1.40_dp, &
      & 1.50_dp, 1.50_dp, 2.60_dp, 2.21_dp, 2.15_dp, 2.06_dp, 2.00_dp, 1.96_dp, 1.90_dp, 1.87_dp, 1.80_dp, 1.69_dp]

contains


!> Symbol of an element, "?" outside 1..118
elemental function symbol(number)
   integer, intent(in) :: number
   character(len=2) :: symbol

   symbol = "?"
   if (number >= 1 .and. number <= max_number) symbol = symbols(number)
end function symbol


!> Standard atomic weight, g/mol; zero for an element that has none
elemental function standard_mass(number) result(mass)
   integer, intent(in) :: number
   real(dp) :: mass

   mass = 0.0_dp
   if (number >= 1 .and. number <= max_number) mass = masses(number)
end function standard_mass


!> Covalent radius, Å (that of curium for heavier elements)
elemental function covalent_radius(number) result(radius)
   integer, intent(in) :: number
   real(dp) :: radius

   radius = radii(max(1, min(max_radius, number)))
end function covalent_radius


!> Atomic number of a symbol spelled as usual ("Na"), 0 when there is none
elemental function atomic_number(text) result(number)
   character(len=*), intent(in) :: text
   integer :: number

   do number = max_number, 1, -1
      if (symbols(number) == text) return
   end do
end function atomic_number


!> The element that an atom name stands for, by this rule on its letters (digits before them are skipped,
!> what follows them is not read):
!>
!> 1. spelled as an element symbol ("H", "Na", "Cl-", "Ca2+"): that element;
!> 2. otherwise, when only one of the first letter and the first two letters is an element: that ("OW", "HN", "MG");
!> 3. names of two letters that can be read both ways ("CA", "NA", "HG", "CL"): an atom with bonds is what its first
!>    letter says, when that is H, C, N, O, P or S, except CL with one bond, SI and SE; one without bonds, or with a
!>    charge sign ("NA+"), is what both letters say. Longer names go by their first letter ("HOH", "OXT").
!>
!> Without any bonds in the file case 3 is not decided: number is 0 and the two readings are returned.
pure subroutine element_from_name(name, n_bonds, number, readings)
   !> Atom name as in the file
   character(len=*), intent(in) :: name
   !> Bonds of this atom; negative when the file has no bonds at all
   integer, intent(in) :: n_bonds
   !> Atomic number, 0 when the name does not tell
   integer, intent(out) :: number
   !> The two readings of a name that does not decide, otherwise zeros
   integer, intent(out) :: readings(2)
   character(len=:), allocatable :: letters
   integer :: one, two
   logical :: alone

   number = 0
   readings = 0
   letters = letters_of(name)
   if (len(letters) == 0) return
   number = atomic_number(letters)
   if (number > 0) return

   one = weighed_number(upper_first(letters(1:1)))
   two = 0
   if (len(letters) == 2 .or. (len(letters) > 2 .and. one == 0)) two = weighed_number(upper_first(letters(1:2)))
   if (one == 0 .or. two == 0) then
      number = max(one, two)
      return
   end if
   alone = n_bonds == 0 .or. scan(name, "+-") > 0
   if (n_bonds < 0 .and. .not. alone) then
      readings = [one, two]
   else if (alone .or. scan(letters(1:1), "HCNOPShcnops") == 0) then
      number = two
   else
      select case (lower(letters))
      case ("si", "se")
         number = two
      case ("cl")
         number = merge(two, one, n_bonds == 1)
      case default
         number = one
      end select
   end if
end subroutine element_from_name


!> The first run of letters after leading digits
pure function letters_of(name) result(letters)
   character(len=*), intent(in) :: name
   character(len=:), allocatable :: letters
   integer :: begin, last

   begin = verify(name, "0123456789")
   letters = ""
   if (begin == 0) return
   last = begin - 1
   do while (last < len(name))
      if (.not. is_letter(name(last + 1:last + 1))) exit
      last = last + 1
   end do
   letters = name(begin:last)
end function letters_of


!> "na" and "NA" to "Na"
pure function upper_first(letters) result(text)
   character(len=*), intent(in) :: letters
   character(len=len(letters)) :: text

   text = lower(letters)
   if (lge(text(1:1), "a") .and. lle(text(1:1), "z")) text(1:1) = achar(iachar(text(1:1)) - 32)
end function upper_first


!> Atomic number of an element that has a standard weight, 0 for others
elemental function weighed_number(text) result(number)
   character(len=*), intent(in) :: text
   integer :: number

   number = atomic_number(text)
   if (number > 0) number = merge(number, 0, masses(max(number, 1)) > 0.0_dp)
end function weighed_number

end module fennix_elements
